import { DafError, toWire, type WireError } from '../../core/contracts/errors.js';
import { type TaskId, taskName } from '../../core/contracts/job.js';
import type { LostOutput } from '../../core/contracts/task.js';
import { TimeHeap } from './heap.js';
import type { JobState } from './job-state.js';
import type { Outbox } from './outbox.js';
import { TASK } from './task-table.js';

const BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 10_000;
/** A task may be lost with its worker this many times more often than it may fail by itself. */
const LOSSES_PER_FAILURE = 4;

/** What follows when a task did not go well: again at once, again after a pause, its inputs made anew, or the end of the job. */
export class Setbacks {
  readonly #out: Outbox;
  readonly #delayed = new TimeHeap<{ readonly job: JobState; readonly task: TaskId; readonly generation: number }>();

  constructor(out: Outbox) {
    this.#out = out;
  }

  /** Back to the ready tasks unless another attempt lives; after `count` failures with a pause that doubles. */
  requeue(job: JobState, task: TaskId, now: number, count: number): void {
    const table = job.table(task);
    const { index } = task;
    if (table.state[index] !== TASK.running || table.live(index).length > 0) return;
    if (count === 0) {
      table.retry(index, now);
      return;
    }
    table.wait(index);
    const pause = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** Math.min(count - 1, 20));
    this.#delayed.push(now + pause, { job, task, generation: table.generation[index]! });
  }

  /** Makes tasks ready whose pause is over. */
  wake(now: number): void {
    for (let due = this.#delayed.popDue(now); due !== undefined; due = this.#delayed.popDue(now)) {
      const table = due.job.table(due.task);
      const { index } = due.task;
      if (table.state[index] === TASK.waiting && table.generation[index] === due.generation) table.retry(index, now);
    }
  }

  /** A task was lost without failing: its worker died. A task that kills its workers must not go on for ever. */
  countLoss(job: JobState, task: TaskId, error: WireError, now: number): void {
    const table = job.table(task);
    const losses = table.losses[task.index]! + 1;
    table.losses[task.index] = losses;
    if (losses >= LOSSES_PER_FAILURE * job.spec.maxAttempts) this.giveUp(job, task, `it was lost ${losses} times`, error);
    else this.requeue(job, task, now, losses - 1);
  }

  /** A task could not read what another had left; true when that one is, or already was, opened anew. */
  lostOutput(job: JobState, { task, generation }: LostOutput, error: WireError): boolean {
    const table = job.graph.find(task);
    if (table === undefined) return false;
    const { index } = task;
    if (table.generation[index] !== generation || table.state[index] !== TASK.committed) {
      // Somebody else has said so already, which is progress all the same.
      return table.generation[index]! > generation || table.state[index] === TASK.reopening;
    }
    if (generation >= LOSSES_PER_FAILURE * job.spec.maxAttempts) {
      this.giveUp(job, task, `its output was lost ${generation + 1} times`, error);
      return true;
    }
    this.reopen(job, task);
    return true;
  }

  /** Asks the store for the next generation of a committed task. */
  reopen(job: JobState, task: TaskId): void {
    const table = job.table(task);
    table.beginReopen(task.index);
    job.changed = true;
    this.#out.push({ kind: 'reopen', job: job.spec.id, task, generation: table.generation[task.index]! });
  }

  /** The task cannot be done, so the job fails, with the cause. */
  giveUp(job: JobState, task: TaskId, why: string, cause: WireError): void {
    if (job.closing) return;
    const error = toWire(new DafError('ERR_DAF_TASK_FAILED', `${taskName(task)} of job ${job.spec.id}: ${why}`));
    this.close(job, 'failed', { ...error, hint: cause.hint, stack: null, cause });
  }

  close(job: JobState, to: 'failed' | 'cancelled', error: WireError): void {
    job.closing = true;
    job.error = error;
    this.#out.push({ kind: 'set-phase', job: job.spec.id, from: 'running', to, error });
  }
}
