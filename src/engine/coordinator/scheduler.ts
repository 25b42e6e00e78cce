import type { TaskId } from '../../core/contracts/job.js';
import type { WorkerInfo } from './effects.js';
import type { JobState } from './job-state.js';
import type { Attempt } from './task-table.js';

/** A worker as the core sees it: what it holds and how much it wants to hold. */
export interface Worker extends WorkerInfo {
  /** What of its budget its tasks may reserve, bytes. */
  readonly roomBytes: number;
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
 * oldest; workers in turn, one task each, those first that have its input, and the quicker ones when there are more of them than tasks.
 */
export class Scheduler {
  /** Jobs that may have something to give out, by priority, then age. */
  #active: JobState[] = [];
  /** Of all workers the one that larger tasks than any other fit into; null while there is none. */
  roomiest: Worker | null = null;
  /** Workers that want more, least recently served first. */
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
    while (this.#free.size > 0) {
      // Whoever has the input comes first: given out in turn, most of it would be read from elsewhere though its host was idle too.
      if (this.#hasHomes() && this.#round(now, rules, assign, true)) continue;
      if (!this.#round(now, rules, assign, false)) return;
    }
  }

  /** One task for each worker that finds one; false when nobody did. */
  #round(now: number, rules: Rules, assign: Assign, near: boolean): boolean {
    let ready = this.#ready();
    if (ready === 0) return false;
    let given = false;
    for (const worker of this.#inTurn(ready, rules)) {
      if (rules.aside.has(worker.worker)) continue;
      const found = this.#next(worker, now, rules, near);
      if (found === null) continue;
      this.#free.delete(worker.worker);
      assign(worker, ...found);
      this.offer(worker);
      given = true;
      ready -= 1;
      if (ready === 0) break;
    }
    return given;
  }

  #inTurn(ready: number, rules: Rules): Worker[] {
    const workers = [...this.#free.values()];
    if (workers.length > 1 && ready < workers.length) {
      workers.sort((a, b) => rules.pace(a.worker) - rules.pace(b.worker));
    }
    return workers;
  }

  /** Tasks that fit into no worker do not count: nobody need be asked about them. */
  #ready(): number {
    const room = this.roomiest?.roomBytes ?? 0;
    let ready = 0;
    for (const job of this.#active) {
      const { tables } = job.graph;
      for (let at = 0; at < tables.length; at++) {
        const table = tables[at]!;
        if (table.needBytes <= room && job.isOpen(at)) ready += table.ready + table.wantedBackups;
      }
    }
    return ready;
  }

  #hasHomes(): boolean {
    for (const job of this.#active) {
      const { tables } = job.graph;
      for (let at = 0; at < tables.length; at++) if (tables[at]!.hasHomes && job.isOpen(at)) return true;
    }
    return false;
  }

  /** @param near of the job whose turn it is only what is a retry or has its input on the worker's host */
  #next(worker: Worker, now: number, { others, patience }: Rules, near: boolean): [JobState, TaskId, boolean] | null {
    for (const job of this.#byShare()) {
      if (now < job.heldUntil) continue;
      const { tables } = job.graph;
      let open = false;
      for (let at = 0; at < tables.length; at++) {
        const table = tables[at]!;
        if (table.needBytes > worker.roomBytes || !job.isOpen(at)) continue;
        open = true;
        const index = table.pick(worker, others, now, patience, near);
        if (index >= 0) return [job, table.id(index), false];
        if (near) continue;
        const backup = table.wantedBackups > 0 ? table.pickBackup(worker.worker) : -1;
        if (backup >= 0) return [job, table.id(backup), true];
      }
      if (near && open) return null;
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
