import type { PeakSampler } from '../../core/memory-sample.js';
import type { Service } from './service.js';

const BUSY_MS = 100;
/** Part of a lease after which an idle coordinator looks for workers that have gone. */
const IDLE_PART = 1 / 5;
const MAX_IDLE_MS = 1000;

/** The time of a coordinator: ticks ten times a second while a job runs; one that has nothing to do costs next to nothing. */
export class Ticks {
  readonly #service: Pick<Service, 'tick' | 'core'>;
  readonly #sampler: Pick<PeakSampler, 'resume' | 'pause'>;
  readonly #idleMs: number;
  #timer: NodeJS.Timeout;
  #busy = true;

  constructor(service: Pick<Service, 'tick' | 'core'>, sampler: Pick<PeakSampler, 'resume' | 'pause'>, leaseMs: number) {
    this.#service = service;
    this.#sampler = sampler;
    this.#idleMs = Math.min(MAX_IDLE_MS, Math.max(BUSY_MS, leaseMs * IDLE_PART));
    this.#timer = setTimeout(() => this.#tick(), BUSY_MS);
  }

  /** To be called after whatever may have begun a job. */
  look(): void {
    if (!this.#busy && this.#service.core.busy) this.#tick();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#sampler.pause();
  }

  #tick(): void {
    clearTimeout(this.#timer);
    this.#service.tick();
    this.#busy = this.#service.core.busy;
    if (this.#busy) this.#sampler.resume();
    else this.#sampler.pause();
    this.#timer = setTimeout(() => this.#tick(), this.#busy ? BUSY_MS : this.#idleMs);
  }
}
