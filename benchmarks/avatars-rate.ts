import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BenchOptions, median, type Row, row } from './row.js';

export const group = 'avatars';
export const name = 'rate';

const DAF = fileURLToPath(new URL('../cli/main.js', import.meta.url));
/** Faces an hour that one worker on one CPU is to make. */
const WANTED = { draft: 4000, standard: 1000 } as const;
const LIMIT_MB = 512;
const MB = 2 ** 20;

interface Report {
  readonly tasks: readonly { readonly task: string; readonly milliseconds: number }[];
  readonly peakBytes: number;
}

/**
 * How many people an hour does one worker turn into avatars, cluster start, photos, commits and contact sheet included? One synthetic photo
 * a person with its landmarks beside it, so detection is not part of it. The limit measured in the same run: the time that the
 * tasks themselves took, which no coordination could beat.
 */
export async function run(options: BenchOptions): Promise<readonly Row[]> {
  const people = options.quick ? 3 : 24;
  const repeats = options.quick ? 1 : 3;
  const folder = mkdtempSync(join(tmpdir(), 'daf-bench-avatars-'));
  const rows: Row[] = [];
  try {
    for (const quality of ['draft', 'standard'] as const) {
      const rates: number[] = [];
      const shares: number[] = [];
      const peaks: number[] = [];
      for (let repeat = 0; repeat < repeats; repeat++) {
        const out = join(folder, `${quality}-${repeat}`);
        const made = daf([
          'demo',
          '--out',
          out,
          '--people',
          String(people),
          '--photos',
          '1',
          '--quality',
          quality,
          '--workers',
          '1',
        ]);
        const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as Report;
        const inTasks = report.tasks.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000;
        rates.push((3600 * made.avatars.length) / made.seconds);
        shares.push(inTasks / made.seconds);
        peaks.push(report.peakBytes / MB);
        options.log(
          `${quality}: ${made.avatars.length} of ${people} people in ${made.seconds} s, ${inTasks.toFixed(1)} s of it in tasks`,
        );
      }
      const what = `${people} people, one 560×700 photo each, ${quality}, 1 worker`;
      const wanted = WANTED[quality];
      rows.push(
        row('people an hour', what, median(rates), 'people/h', `${wanted} people/h wanted of one CPU`, median(rates) / wanted, 1),
        row(
          'share of the time that is task time',
          what,
          median(shares),
          'of wall time',
          'tasks alone, same run',
          median(shares),
          0.9,
        ),
        row('largest process', what, median(peaks), 'MB', `limit of ${LIMIT_MB} MB`, LIMIT_MB / median(peaks), 1),
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return rows;
}

function daf(args: readonly string[]): { readonly avatars: readonly string[]; readonly seconds: number } {
  const ran = spawnSync(process.execPath, [DAF, ...args, '--json'], { encoding: 'utf8', maxBuffer: 64 * MB });
  if (ran.status !== 0) throw new Error(`daf ${args[0]} ended with ${ran.status}: ${ran.stdout}${ran.stderr}`);
  return JSON.parse(ran.stdout) as { avatars: string[]; seconds: number };
}
