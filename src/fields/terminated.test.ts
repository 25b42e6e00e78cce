import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { test } from 'tap';

/** Of the control block: whether to stop, and how far the loop is. */
const [CANCELLED, STEP] = [0, 1];

// JavaScript can take no more errors in a thread that is being ended: the native loop's own ends there, and nothing else does.
test('a thread ended within a native loop ends alone', async (t) => {
  const shared = new SharedArrayBuffer(12);
  const control = new Int32Array(shared);
  const thread = new Worker(new URL('./terminated.test.fixture.js', import.meta.url), { workerData: { shared } });
  t.equal((await once(thread, 'message'))[0], 'ready');
  while (Atomics.load(control, STEP) === 0) await wait(1);
  const ended = thread.terminate();
  // The loop runs on, as nobody told it to stop.
  const step = Atomics.load(control, STEP);
  while (Atomics.load(control, STEP) < step + 2) await wait(1);
  Atomics.store(control, CANCELLED, 1);
  t.equal(await ended, 1);
});
