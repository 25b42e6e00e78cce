import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { addon } from '#daf/core/addon/index.js';

interface Task {
  readonly seconds: number;
  readonly parties: number;
  /** [threads that are ready] */
  readonly ready: Int32Array;
}

/** Multiply-adds a second of one thread, in registers, by its computing time. */
export const alone = (seconds: number): number => addon().measureMultiplyAdds(seconds);

/**
 * Multiply-adds a second of `threads` threads that begin together, by the clock: the machine's own limit of what threads gain, which clock speeds and
 * other guests of the processor keep below `threads` times that of one.
 */
export async function together(threads: number, seconds: number): Promise<number> {
  const ready = new Int32Array(new SharedArrayBuffer(4));
  const task: Task = { seconds, parties: threads, ready };
  const rates = await Promise.all(Array.from({ length: threads }, () => inThread(task)));
  return rates.reduce((sum, rate) => sum + rate, 0);
}

function inThread(task: Task): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: task });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

// As such a thread.
if (!isMainThread && parentPort !== null) {
  const { seconds, parties, ready } = workerData as Task;
  alone(seconds / 10); // the addon is loaded and the clock is up
  Atomics.add(ready, 0, 1);
  while (Atomics.load(ready, 0) < parties);
  const begin = performance.now();
  const rate = alone(seconds);
  parentPort.postMessage((rate * seconds * 1000) / (performance.now() - begin));
}
