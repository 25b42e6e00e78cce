import type { WorkerInfo } from './effects.js';
import type { ProcessPeak } from './report.js';

const MAX_PROCESSES = 10_000;

/** The workers that there have been, and the largest memory each was seen with. */
export class ProcessPeaks {
  readonly #processes = new Map<string, ProcessPeak>();

  note({ worker, host, pid, peakBytes }: WorkerInfo & { readonly peakBytes: number }): void {
    if (!this.#processes.has(worker) && this.#processes.size >= MAX_PROCESSES) return;
    this.#processes.set(worker, { role: 'worker', name: worker, host, pid, peakBytes });
  }

  all(): Iterable<ProcessPeak> {
    return this.#processes.values();
  }
}
