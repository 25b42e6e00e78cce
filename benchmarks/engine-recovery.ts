import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster } from '#daf/engine/cluster/cluster.js';
import type { Job } from '#daf/engine/cluster/job-handle.js';
import { defineJob } from '#daf/engine/jobs/define.js';
import type { Child } from '#daf/engine/launch/child.js';
import { Peaks } from './engine/peaks.js';
import { kill, Processes } from './engine/processes.js';
import { type BenchOptions, median, type Row, row } from './row.js';

export const group = 'engine';
export const name = 'recovery';

const WORKERS = 3;
const TIMING = { heartbeatMs: 500, leaseMs: 2000 };
const TASK_MS = 200;
const SLACK = 1.05;
/** A delay that is none, or less than measuring tells. */
const LEAST_SECONDS = 0.01;
/** How long nobody coordinates. */
const AWAY_MS = 500;

/** Sleeps, so that what is measured is waiting and not how many cores this machine has. */
const job = defineJob({
  name: 'recovering',
  async map({ value }, emit) {
    await new Promise((resolve) => setTimeout(resolve, Number(value)));
    emit(value, '1');
  },
  reduce(key, ones, emit) {
    emit(key, String([...ones].length));
  },
});

interface Run {
  readonly seconds: number;
  /** Seconds until half of the maps had committed: then the axe falls. */
  readonly half: number;
}

/**
 * What does a death cost? One of three workers is killed after half of the maps. What is left then takes two workers half as long again as
 * three; beyond that the job may take as long as the lost work does again, a task of one thread, and one lease. The coordinator is killed
 * there and started again: the job may take as much longer as nobody coordinated, and one lease. What is held against these bounds, 5 % of
 * them allowed, is the delay alone, not the whole run.
 */
export async function run({ quick, log }: BenchOptions): Promise<readonly Row[]> {
  const maps = quick ? 30 : 150;
  const repeats = quick ? 1 : 3;
  const what = `${maps} maps of ${TASK_MS} ms, ${WORKERS} workers, lease ${TIMING.leaseMs} ms`;
  const lease = TIMING.leaseMs / 1000;
  const worker: Delay[] = [];
  const coordinator: Delay[] = [];
  const peaks = new Peaks();
  for (let repeat = 0; repeat < repeats; repeat++) {
    const plain = await once(maps, peaks, async () => {});
    const lessOne = await once(maps, peaks, async (_, __, workers) => kill(workers[0]!));
    let away = 0;
    const restarted = await once(maps, peaks, async (processes, first) => {
      const begun = performance.now();
      await kill(first);
      await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
      await processes.coordinator();
      away = (performance.now() - begun) / 1000;
    });
    const byTwo = ((plain.seconds - plain.half) * WORKERS) / (WORKERS - 1);
    worker.push({ seconds: lessOne.seconds - lessOne.half - byTwo, allowed: TASK_MS / 1000 + lease });
    coordinator.push({ seconds: restarted.seconds - plain.seconds, allowed: away + lease });
    log(
      `undisturbed ${plain.seconds.toFixed(2)} s; a worker killed ${lessOne.seconds.toFixed(2)} s, delay ${told(worker[repeat]!)}; ` +
        `coordinator away for ${away.toFixed(2)} s: ${restarted.seconds.toFixed(2)} s, delay ${told(coordinator[repeat]!)}`,
    );
  }
  const result = (who: string, delays: readonly Delay[], bound: string): Row =>
    row(
      `recovery: delay when ${who} is killed`,
      what,
      median(delays.map(({ seconds }) => seconds)),
      's',
      `${bound}, ${median(delays.map(({ allowed }) => allowed)).toFixed(2)} s`,
      median(delays.map(({ seconds, allowed }) => allowed / Math.max(seconds, LEAST_SECONDS))),
      1 / SLACK,
    );
  return [
    result('a worker', worker, 'the lost task again and one lease'),
    result('the coordinator', coordinator, 'its restart and one lease'),
    ...peaks.rows('recovery', what),
  ];
}

/** How much longer a run took than without the death, and how much longer it may take. */
interface Delay {
  readonly seconds: number;
  readonly allowed: number;
}

function told({ seconds, allowed }: Delay): string {
  return `${seconds.toFixed(2)} s (${allowed.toFixed(2)} s allowed)`;
}

async function once(
  maps: number,
  peaks: Peaks,
  axe: (processes: Processes, coordinator: Child, workers: readonly Child[]) => Promise<void>,
): Promise<Run> {
  const folder = mkdtempSync(join(process.env['DAF_BENCH_DIR'] ?? tmpdir(), 'daf-bench-'));
  try {
    await using processes = new Processes(folder, TIMING, peaks);
    const coordinator = await processes.coordinator();
    const workers = await Promise.all(Array.from({ length: WORKERS }, () => processes.worker()));
    const cluster = await Cluster.connect(processes.endpoint);
    try {
      const items = Array.from({ length: maps }, () => String(TASK_MS));
      const options = { itemsPerSplit: 1, output: join(folder, 'out'), reducers: 1 };
      // Threads and code are there before anything is timed.
      await (
        await cluster.submit(job, { ...options, input: { items: ['1', '1', '1'] }, output: join(folder, 'first') })
      ).result();
      const submitted = await cluster.submit(job, { ...options, input: { items } });
      const begun = performance.now();
      await halfway(submitted, maps);
      const half = (performance.now() - begun) / 1000;
      await axe(processes, coordinator, workers);
      await submitted.result();
      return { seconds: (performance.now() - begun) / 1000, half };
    } finally {
      await cluster.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits until half of the maps have committed. */
async function halfway(submitted: Job, maps: number): Promise<void> {
  while ((await submitted.status()).map.committed < maps / 2) await new Promise((resolve) => setTimeout(resolve, 20));
}
