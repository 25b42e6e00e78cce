import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { anonymousBytes } from '#daf/core/memory-sample.js';
import { type Row, row } from '../row.js';

const MB = 2 ** 20;
/** What no process may reach. */
const LIMIT = 512 * MB;
const SAMPLE_MS = 40;

/** The largest anonymous + shared memory of every process of an engine's benchmark, over all its runs. */
export class Peaks {
  readonly #peaks = new Map<string, number>();

  /** @param process e.g. `coordinator`, `worker 1`: the same in every run */
  note(process: string, bytes: number): void {
    this.#peaks.set(process, Math.max(bytes, this.#peaks.get(process) ?? 0));
  }

  /** Those of a published job, as its report.json has them. */
  noteReport(output: string): void {
    const { processes } = JSON.parse(readFileSync(join(output, 'report.json'), 'utf8')) as {
      processes: readonly { readonly role: string; readonly name: string; readonly peakBytes: number }[];
    };
    const workers = processes.filter(({ role }) => role === 'worker').sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { role, peakBytes } of processes) if (role !== 'worker') this.note(role, peakBytes);
    for (const [i, { peakBytes }] of workers.entries()) this.note(`worker ${i + 1}`, peakBytes);
  }

  noteAll(others: Peaks): void {
    for (const [process, bytes] of others.#peaks) this.note(process, bytes);
  }

  /** Bytes; 0 of a process that was never seen. */
  of(process: string): number {
    return this.#peaks.get(process) ?? 0;
  }

  /** One row for each process. */
  rows(question: string, what: string): Row[] {
    return [...this.#peaks].map(([process, bytes]) =>
      row(`${question}: peak memory`, `${process}; ${what}`, bytes / MB, 'MB', `limit of ${LIMIT / MB} MB`, LIMIT / bytes, 1),
    );
  }
}

/** Samples processes until it is stopped. @param watched name → pid, of those that there are now */
export function watchPeaks(peaks: Peaks, watched: () => Iterable<readonly [string, number]>): () => void {
  const sample = (): void => {
    for (const [name, pid] of watched()) {
      const bytes = anonymousBytes(pid);
      if (bytes !== null && bytes > 0) peaks.note(name, bytes);
    }
  };
  const timer = setInterval(sample, SAMPLE_MS);
  return () => {
    clearInterval(timer);
    sample();
  };
}

/** Samples this process from a thread of its own while `work` keeps the main thread. @returns the largest sample, bytes */
export async function peakOfOwn(work: () => void): Promise<number> {
  const peak = new Float64Array(new SharedArrayBuffer(8));
  const reader = `
    const { workerData, parentPort } = require('node:worker_threads');
    import(workerData.module).then(({ anonymousBytes }) => {
      setInterval(() => {
        const bytes = anonymousBytes() ?? 0;
        if (bytes > workerData.peak[0]) workerData.peak[0] = bytes;
      }, ${SAMPLE_MS});
      parentPort.postMessage('ready');
    });`;
  const module = import.meta.resolve('#daf/core/memory-sample.js');
  const thread = new Worker(reader, { eval: true, workerData: { peak, module } });
  await new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject));
  try {
    work();
  } finally {
    await thread.terminate();
  }
  return Math.max(peak[0]!, anonymousBytes() ?? 0);
}
