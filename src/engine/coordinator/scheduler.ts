import type { TaskId } from '../../core/contracts/job.js';
import type { WorkerInfo } from './effects.js';
import type { JobState } from './job-state.js';
import type { Attempt } from './task-table.js';

/** A worker as the core sees it: what it holds and how much it wants to hold. */
export interface Worker extends WorkerInfo {
  readonly held: Set<Attempt>;
  capacity: number;
  creditSeq: number;
  peakBytes: number;
}

export interface Rules {
  /** Whether there is a worker beside these: a retry avoids those it failed on meanwhile, for at most `patience` ms. */
  others(failedOn: readonly string[]): boolean;
  readonly patience: number;
  /** Workers that get nothing now. */
  readonly aside: ReadonlySet<string>;
  /** How long a worker's tasks take, compared with others. */
  pace(worker: string): number;
}

export type Assign = (worker: Worker, job: JobState, task: TaskId, backup: boolean) => void;

/**
 * Which ready task goes to which worker with room. Jobs of higher priority first, among equals the one that has least running, then the
 * oldest; workers in turn, one task each, the quicker ones first when there are more of them than tasks.
 */
export class Scheduler {
  /** Jobs that may have something to give out, by priority, then age. */
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

  /** Gives out what can be given out. Looks at no worker when there is nothing: most messages of a large cluster change nothing here. */
  run(now: number, rules: Rules, assign: Assign): void {
    for (let given = true; given && this.#free.size > 0; ) {
      given = false;
      let ready = this.#ready();
      if (ready === 0) return;
      for (const worker of this.#inTurn(ready, rules)) {
        if (rules.aside.has(worker.worker)) continue;
        const found = this.#next(worker, now, rules);
        if (found === null) continue;
        this.#free.delete(worker.worker);
        assign(worker, ...found);
        this.offer(worker);
        given = true;
        ready -= 1;
        if (ready === 0) break;
      }
    }
  }

  #inTurn(ready: number, rules: Rules): Worker[] {
    const workers = [...this.#free.values()];
    if (workers.length > 1 && ready < workers.length) {
      workers.sort((a, b) => rules.pace(a.worker) - rules.pace(b.worker));
    }
    return workers;
  }

  #ready(): number {
    let ready = 0;
    for (const job of this.#active) for (const table of job.openTables()) ready += table.ready + table.wantedBackups;
    return ready;
  }

  #next(worker: Worker, now: number, { others, patience }: Rules): [JobState, TaskId, boolean] | null {
    for (const job of this.#byShare()) {
      if (now < job.heldUntil) continue;
      for (const table of job.openTables()) {
        const index = table.pick(worker, others, now, patience);
        if (index >= 0) return [job, table.id(index), false];
        const backup = table.wantedBackups > 0 ? table.pickBackup(worker.worker) : -1;
        if (backup >= 0) return [job, table.id(backup), true];
      }
    }
    return null;
  }

  /** Jobs of one priority share the workers: the one with least running comes first. */
  #byShare(): readonly JobState[] {
    if (this.#active.length < 2) return this.#active;
    const share = new Map(this.#active.map((job) => [job, job.running]));
    return [...this.#active].sort(
      (a, b) => b.spec.priority - a.spec.priority || share.get(a)! - share.get(b)! || a.order - b.order,
    );
  }
}
