import { AttemptBook } from './attempts.js';
import type { CoreOptions } from './effects.js';
import type { JobState } from './job-state.js';
import { Leases } from './leases.js';
import { Outbox } from './outbox.js';
import { Scheduler, type Worker } from './scheduler.js';
import { Setbacks } from './setbacks.js';
import { WorkerHealth } from './worker-health.js';

/** What the parts of the core share: who is there, what runs, what is to be done. */
export class Books {
  readonly options: CoreOptions;
  readonly jobs = new Map<string, JobState>();
  readonly workers = new Map<string, Worker>();
  /** Counts workers that came or went. */
  membership = 0;
  /** Workers, by when they were heard of. */
  readonly seen: Leases<string>;
  readonly attempts: AttemptBook;
  readonly out = new Outbox();
  readonly setbacks = new Setbacks(this.out);
  readonly scheduler = new Scheduler();
  readonly health = new WorkerHealth();

  constructor(options: CoreOptions) {
    this.options = options;
    this.seen = new Leases(options.leaseMs);
    this.attempts = new AttemptBook(options, this.jobs, this.workers, this.scheduler, this.out);
  }

  /** To be called when a worker has come or gone. */
  noteRoom(): void {
    let roomiest: Worker | null = null;
    for (const worker of this.workers.values()) {
      if (roomiest === null || worker.roomBytes > roomiest.roomBytes) roomiest = worker;
    }
    this.scheduler.roomiest = roomiest;
  }
}
