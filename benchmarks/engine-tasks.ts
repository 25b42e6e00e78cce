import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster } from '#daf/engine/cluster/cluster.js';
import { defineJob } from '#daf/engine/jobs/define.js';
import { bareRate } from './engine/bare.js';
import { Peaks } from './engine/peaks.js';
import { type BenchOptions, median, type Row, row } from './row.js';

export const group = 'engine';
export const name = 'tasks';

const WANTED = 20_000;
const SLEEP_MS = 50;
const WORKERS = 2;

const nothing = defineJob({ name: 'nothing', map() {} });
const sleeping = defineJob({
  name: 'sleeping',
  async map({ value }) {
    await new Promise((resolve) => setTimeout(resolve, Number(value)));
  },
});

/**
 * What does a task cost beside its work? Tasks that do nothing go through the coordinator and two workers, each crosses into a thread of its
 * worker and has a commit record of its own that is flushed before anybody hears of it; and tasks that sleep 50 ms show what of
 * the time is not theirs. Timed from the submission's answer to the end of the job, its publication included; preparing the input is not. The same parts without an engine
 * (engine/bare.ts) say what this machine could do.
 */
export async function run({ quick, log }: BenchOptions): Promise<readonly Row[]> {
  const many = quick ? 5000 : 100_000;
  const some = quick ? 40 : 1000;
  const repeats = quick ? 1 : 5;
  const folder = mkdtempSync(join(process.env['DAF_BENCH_DIR'] ?? tmpdir(), 'daf-bench-'));
  try {
    await using cluster = await Cluster.local({ workers: WORKERS, dataDir: join(folder, 'cluster') });
    const peaks = new Peaks();
    const timed = async (job: typeof nothing, items: readonly string[]): Promise<number> => {
      const submitted = await cluster.submit(job, {
        input: { items },
        itemsPerSplit: 1,
        output: join(folder, 'out'),
        overwrite: true,
      });
      const begun = performance.now();
      await submitted.result();
      const seconds = (performance.now() - begun) / 1000;
      peaks.noteReport(join(folder, 'out'));
      return seconds;
    };
    const noop = Array.from({ length: many }, () => '');
    await timed(nothing, noop.slice(0, Math.min(many, 2000))); // starts threads and loads the job's code
    const rates: number[] = [];
    const limits: number[] = [];
    const shares: number[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      limits.push(await bareRate(join(folder, `bare-${repeat}`), many));
      rates.push(many / (await timed(nothing, noop)));
      const ideal = (some * SLEEP_MS) / 1000 / WORKERS;
      shares.push(
        ideal /
          (await timed(
            sleeping,
            Array.from({ length: some }, () => String(SLEEP_MS)),
          )),
      );
      log(
        `${rates[repeat]!.toFixed(0)} tasks/s, bare parts ${limits[repeat]!.toFixed(0)}/s; sleeping ${(100 * shares[repeat]!).toFixed(1)} % of ideal`,
      );
    }
    const workers = `${WORKERS} workers of one thread`;
    return [
      row('no-op tasks', `${many} tasks, ${workers}`, median(rates), 'tasks/s', `${WANTED} wanted`, median(rates) / WANTED, 1),
      row(
        'no-op tasks, of what this machine can',
        `${many} tasks, ${workers}`,
        median(rates),
        'tasks/s',
        `the same parts without an engine: ${median(limits).toFixed(0)}/s`,
        median(rates) / median(limits),
        null,
      ),
      row(
        'tasks that sleep',
        `${some} tasks of ${SLEEP_MS} ms, ${workers}`,
        median(shares),
        'of ideal',
        'sleeping alone',
        median(shares),
        0.95,
      ),
      ...peaks.rows('tasks', workers),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
