import t from 'tap';
import { toWire } from '../../core/contracts/errors.js';
import type { JobStatus } from '../../core/contracts/job.js';
import type { WorkerStatus } from '../../core/contracts/messages.js';
import { encode } from '../wire/index.js';
import { listedJobs, listedWorkers } from './listing.js';

const STAGE = { total: 1, running: 0, committed: 1, progress: 1 };

function job(i: number, counters: number): JobStatus {
  const names = Array.from({ length: counters }, (_, c) => [`a-counter-with-a-long-name-${c}`, c] as const);
  return {
    ...{ id: `job-${i}`, name: 'many', phase: 'failed', output: `file:///out/${i}`, map: STAGE, reduce: STAGE, finalize: STAGE },
    ...{ counters: Object.fromEntries(names), refused: 0, failedAttempts: 0, workers: 1, elapsedMs: 1, waiting: null },
    error: toWire(new Error('x'.repeat(3000))),
  };
}

/** Throws where it does not fit. */
const send = (body: unknown): unknown => encode({ type: 'reply', request: 1 }, body);

t.test('forty jobs with four thousand counters each are listed', async (t) => {
  const jobs = Array.from({ length: 40 }, (_, i) => job(i, 4000));
  t.throws(() => send(jobs), { code: 'ERR_DAF_PROTOCOL' });
  const listed = listedJobs(jobs);
  send(listed);
  t.equal(listed.length, 40);
  t.same(listed.at(-1), jobs.at(-1), 'the newest is whole');
  t.same(listed[0]?.counters, {});
  t.match(listed[0], { id: 'job-0', error: { code: 'ERR_DAF_INTERNAL' } });
});

t.test('few jobs are listed as they are', async (t) => {
  const jobs = [job(0, 10), job(1, 10)];
  t.same(listedJobs(jobs), jobs);
});

t.test('thousands of workers that hold much are listed', async (t) => {
  const running = Array.from({ length: 64 }, (_, i) => `some-job-mwpt1234-0123abcd/s1-map-${i}-g0-a1.${i}`);
  const worker = (i: number): WorkerStatus => ({
    ...{ worker: `worker-${String(i).padStart(5, '0')}`, host: 'north', pid: i, threads: 2, running, peakBytes: 1, aside: false },
    silentMs: 0,
  });
  const workers = Array.from({ length: 2000 }, (_, i) => worker(i));
  t.throws(() => send(workers), { code: 'ERR_DAF_PROTOCOL' });
  const listed = listedWorkers(workers);
  send(listed);
  t.same(
    listed.map((each) => each.worker),
    workers.map((each) => each.worker),
  );
  t.equal(listed[0]?.running.length, 64);
  t.equal(listed.at(-1)?.running.length, 0);
});
