import type { TaskId } from '../../core/contracts/job.js';
import type { WorkerInfo } from './effects.js';
import type { JobState } from './job-state.js';
import type { Attempt } from './task-table.js';

/** A worker as the core sees it: what it holds and how much it wants to hold. */
export interface Worker extends WorkerInfo {
  readonly held: Map<string, Attempt>;
  capacity: number;
  creditSeq: number;
  peakBytes: number;
}

/** Which ready task goes to which worker with room: jobs by priority, then age; workers in turn, one task each. */
export class Scheduler {
  /** Jobs that may have something to give out, best first. */
  #active: JobState[] = [];
  /** Workers with room, least recently served first. */
  readonly #free = new Map<string, Worker>();

  add(job: JobState): void {
    this.#active.push(job);
    this.#active.sort((a, b) => b.spec.priority - a.spec.priority || a.order - b.order);
  }

  remove(job: JobState): void {
    this.#active = this.#active.filter((each) => each !== job);
  }

  /** Looks again at whether a worker has room. */
  offer(worker: Worker): void {
    if (worker.held.size >= worker.capacity) this.#free.delete(worker.worker);
    else if (!this.#free.has(worker.worker)) this.#free.set(worker.worker, worker);
  }

  withdraw(worker: string): void {
    this.#free.delete(worker);
  }

  /**
   * Gives out what can be given out.
   * @param others whether there is a worker beside these: a retry avoids those it failed on meanwhile, for at most `patience` ms
   */
  run(
    now: number,
    patience: number,
    others: (failedOn: readonly string[]) => boolean,
    assign: (worker: Worker, job: JobState, task: TaskId) => void,
  ): void {
    if (this.#free.size === 0) return;
    const next = (worker: Worker): readonly [JobState, TaskId] | null => {
      for (const job of this.#active) {
        if (now < job.heldUntil) continue;
        for (const table of job.openTables()) {
          const index = table.pick(worker, others, now, patience);
          if (index >= 0) return [job, table.id(index)];
        }
      }
      return null;
    };
    for (let given = true; given && this.#free.size > 0; ) {
      given = false;
      for (const worker of [...this.#free.values()]) {
        const found = next(worker);
        if (found === null) continue;
        this.#free.delete(worker.worker);
        assign(worker, ...found);
        this.offer(worker);
        given = true;
      }
    }
  }
}
