import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster } from '#daf/engine/cluster/cluster.js';
import type { Job } from '#daf/engine/cluster/job-handle.js';
import { defineJob } from '#daf/engine/jobs/define.js';
import type { Child } from '#daf/engine/launch/child.js';
import { kill, Processes } from './engine/processes.js';
import { type BenchOptions, median, type Row, row } from './row.js';

export const group = 'engine';
export const name = 'recovery';

const WORKERS = 3;
const TIMING = { heartbeatMs: 500, leaseMs: 2000 };
const TASK_MS = 200;
const SLACK = 1.05;
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
 * What does a death cost? One of three workers is killed after half of the maps: what is left, and what died, is done by two, and its lease has
 * to end first. The coordinator is killed there and started again: the job may take as much longer as nobody coordinated, and one lease.
 */
export async function run({ quick, log }: BenchOptions): Promise<readonly Row[]> {
  const maps = quick ? 30 : 150;
  const repeats = quick ? 1 : 3;
  const what = `${maps} maps of ${TASK_MS} ms, ${WORKERS} workers, lease ${TIMING.leaseMs} ms`;
  const lease = TIMING.leaseMs / 1000;
  const ratios: { readonly worker: number[]; readonly coordinator: number[] } = { worker: [], coordinator: [] };
  const times: { readonly plain: number[]; readonly worker: number[]; readonly coordinator: number[] } = {
    plain: [],
    worker: [],
    coordinator: [],
  };
  for (let repeat = 0; repeat < repeats; repeat++) {
    const plain = await once(maps, async () => {});
    const worker = await once(maps, async (_, __, workers) => kill(workers[0]!));
    let away = 0;
    const coordinator = await once(maps, async (processes, first) => {
      const begun = performance.now();
      await kill(first);
      await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
      await processes.coordinator();
      away = (performance.now() - begun) / 1000;
    });
    // The end of an undisturbed run after its half, done by two workers instead of three.
    const expected = worker.half + ((plain.seconds - plain.half) * WORKERS) / (WORKERS - 1) + TASK_MS / 1000 + lease;
    const late = plain.seconds + away + lease;
    ratios.worker.push((SLACK * expected) / worker.seconds);
    ratios.coordinator.push((SLACK * late) / coordinator.seconds);
    times.plain.push(plain.seconds);
    times.worker.push(worker.seconds);
    times.coordinator.push(coordinator.seconds);
    log(
      `undisturbed ${plain.seconds.toFixed(2)} s; a worker killed ${worker.seconds.toFixed(2)} s (${expected.toFixed(2)} s allowed); ` +
        `coordinator away for ${away.toFixed(2)} s: ${coordinator.seconds.toFixed(2)} s (${late.toFixed(2)} s allowed)`,
    );
  }
  const against = `undisturbed ${median(times.plain).toFixed(2)} s, what it may take in the same run`;
  return [
    row('recovery: a worker killed', what, median(times.worker), 's', against, median(ratios.worker), 1),
    row('recovery: coordinator killed', what, median(times.coordinator), 's', against, median(ratios.coordinator), 1),
  ];
}

async function once(
  maps: number,
  axe: (processes: Processes, coordinator: Child, workers: readonly Child[]) => Promise<void>,
): Promise<Run> {
  const folder = mkdtempSync(join(process.env['DAF_BENCH_DIR'] ?? tmpdir(), 'daf-bench-'));
  try {
    await using processes = new Processes(folder, TIMING);
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
