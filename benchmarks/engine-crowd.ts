import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { context } from 'zeromq';
import { PROTOCOL } from '#daf/core/contracts/messages.js';
import { sampleSpec } from '#daf/engine/stores/state-conformance.js';
import { doneOutcome, ScriptedClient, ScriptedWorker } from '#daf/testing/scripted-worker.js';
import { Peaks, watchPeaks } from './engine/peaks.js';
import { computingSeconds, Processes } from './engine/processes.js';
import { type BenchOptions, type Row, row } from './row.js';

export const group = 'engine';
export const name = 'crowd';

const MB = 2 ** 20;
const LIMIT = 400 * MB;
const REACH = 1.5;
/** Tasks that a worker holds at a time: the same for all crowds, so that they differ in nothing but their number. */
const CAPACITY = 4;
/** zeromq allows a process a thousand by default. */
const MAX_SOCKETS = 4096;

interface Cost {
  readonly microseconds: number;
  readonly peakBytes: number;
}

/** Of this process too, which plays all the workers. */
const PLAYER = 'process of the simulated workers';

/**
 * Does a task cost the coordinator more when there are more workers? A real coordinator with its store on disk; workers that speak the protocol
 * and do nothing, all in this process. The cost is the coordinator's computing time, from the submission until the job is published.
 */
export async function run({ quick, log }: BenchOptions): Promise<readonly Row[]> {
  const tasks = quick ? 2000 : 100_000;
  const crowds = quick ? [10, 50] : [10, 100, 1000];
  const folder = mkdtempSync(join(process.env['DAF_BENCH_DIR'] ?? tmpdir(), 'daf-bench-'));
  const costs: Cost[] = [];
  const peaks = new Peaks();
  context.maxSockets = MAX_SOCKETS;
  try {
    for (const workers of crowds) {
      const cost = await costOf(workers, tasks, join(folder, String(workers)), peaks);
      log(`${workers} workers: ${cost.microseconds.toFixed(1)} µs a task, ${(cost.peakBytes / MB).toFixed(0)} MB`);
      costs.push(cost);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const [few, most] = [costs[0]!.microseconds, Math.max(...costs.map(({ microseconds }) => microseconds))];
  const peak = Math.max(...costs.map(({ peakBytes }) => peakBytes)) / MB;
  const what = `${tasks} tasks, ${crowds.join(', ')} simulated workers, one coordinator`;
  return [
    row('cost of a task, largest', what, most, 'µs', `${crowds[0]} workers: ${few.toFixed(1)} µs`, few / most, 1 / REACH),
    row('coordinator of a crowd', what, peak, 'MB', `limit of ${LIMIT / MB} MB`, LIMIT / MB / peak, 1),
    ...peaks.rows('crowd', what),
  ];
}

async function costOf(crowd: number, tasks: number, folder: string, peaks: Peaks): Promise<Cost> {
  const own = new Peaks();
  await using processes = new Processes(folder, { heartbeatMs: 500, leaseMs: 5000 }, own);
  const { pid } = await processes.coordinator();
  const input = { records: tasks, coverage: { bytes: tasks, seams: 0 } };
  const spec = sampleSpec(
    'crowd',
    { output: pathToFileURL(join(folder, 'out')).href, input: input.coverage, hasFinalize: false },
    { splits: tasks, reducers: 0 },
  );
  const outcome = doneOutcome({ recordsIn: 1, intake: { records: 1, coverage: { bytes: 1, seams: 0 } } });
  const workers = Array.from(
    { length: crowd },
    (_, i) => new ScriptedWorker(`worker-${i}`, processes.endpoint, async () => outcome, { capacity: CAPACITY }),
  );
  const client = new ScriptedClient(processes.endpoint);
  const unwatch = watchPeaks(own, () => [[PLAYER, process.pid]]);
  try {
    await client.ask((head) => ({ ...head, type: 'client-hello', protocol: PROTOCOL }));
    const before = computingSeconds(pid);
    await client.submit(spec);
    const status = await client.ended(spec.id, 600_000);
    if (status.phase !== 'done')
      throw new Error(`the job of ${crowd} workers is ${status.phase}: ${JSON.stringify(status.error)}`);
    return { microseconds: ((computingSeconds(pid) - before) / tasks) * 1e6, peakBytes: own.of('coordinator') };
  } finally {
    unwatch();
    peaks.noteAll(own);
    await Promise.all([client.close(), ...workers.map((worker) => worker.close())]);
  }
}
