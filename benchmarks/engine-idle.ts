import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Peaks } from './engine/peaks.js';
import { computingSeconds, Processes } from './engine/processes.js';
import { type BenchOptions, type Row, row } from './row.js';

export const group = 'engine';
export const name = 'idle';

const WANTED = 0.01;
/** In the first half minute V8 gives back what starting took, once. */
const SETTLE_MS = 30_000;
const JUST_STARTED_MS = 3000;
/** As a local cluster has them. */
const TIMING = { heartbeatMs: 500, leaseMs: 5000 };

/** What do a coordinator and two workers cost that have nothing to do? Computing time of all three, as a part of one core. */
export async function run({ quick, log }: BenchOptions): Promise<readonly Row[]> {
  const seconds = quick ? 3 : 30;
  const folder = mkdtempSync(join(process.env['DAF_BENCH_DIR'] ?? tmpdir(), 'daf-bench-'));
  try {
    const peaks = new Peaks();
    await using processes = new Processes(folder, TIMING, peaks);
    const coordinator = await processes.coordinator();
    const pids = [coordinator, await processes.worker(), await processes.worker()].map(({ pid }) => pid);
    const used = (): number[] => pids.map(computingSeconds);
    const shareOver = async (ms: number, when: string): Promise<number> => {
      const before = used();
      const begun = performance.now();
      await sleep(ms);
      const wall = (performance.now() - begun) / 1000;
      const shares = used().map((now, i) => (now - before[i]!) / wall);
      log(`${when}: coordinator ${percent(shares[0]!)}, workers ${percent(shares[1]!)} and ${percent(shares[2]!)}`);
      return shares.reduce((sum, share) => sum + share, 0);
    };
    await sleep(JUST_STARTED_MS);
    const first = quick ? null : await shareOver(SETTLE_MS - JUST_STARTED_MS, 'just started');
    const all = await shareOver(seconds * 1000, 'idle');
    const what = `coordinator and 2 workers, ${seconds} s`;
    return [
      ...(first === null
        ? []
        : [
            row(
              'idle, just started',
              `the same, ${(SETTLE_MS - JUST_STARTED_MS) / 1000} s before`,
              100 * first,
              '% of a core',
              'once, not in the long run',
              1,
              null,
            ),
          ]),
      row('idle', what, 100 * all, '% of a core', `${100 * WANTED} % wanted`, WANTED / Math.max(all, 1e-4), 1),
      ...peaks.rows('idle', what),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
