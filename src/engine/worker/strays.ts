import { parentPort } from 'node:worker_threads';
import { DafError, toWire, type WireError } from '../../core/contracts/errors.js';
import type { TaskInput } from '../../core/contracts/task.js';
import { Late, LateError } from './late.js';

/** What a job's code did in a task thread outside its tasks: an error that nobody caught, or something that came too late to count. */
export interface Stray {
  /** Null where several jobs have run in the thread and the error does not say whose it is. */
  readonly job: string | null;
  readonly error: WireError;
}

/** Jobs of a thread that are remembered. */
const MOST_JOBS = 64;

/**
 * Errors that no task of this thread awaits. While a task of the job they come from runs they may be that task's, which might never end without
 * them: the thread ends, and with it the attempt. Another job's task goes on, or is tried again elsewhere without having failed.
 */
class Strays {
  /** Jobs that have run here. Their code lies in folders of their names, by which their errors are known. */
  readonly #jobs = new Set<string>();
  #more = false;
  #running: string | null = null;
  #last = '';
  #ending: unknown = null;

  watch(): void {
    const take = (error: unknown): void => {
      // What is thrown here ends the thread; on its way out it comes by once more.
      if (this.#ending !== null) throw this.#ending;
      this.#take(error);
    };
    process.on('unhandledRejection', take);
    process.on('uncaughtException', take);
  }

  begin(job: string): void {
    this.#running = job;
    if (job === this.#last) return;
    this.#last = job;
    if (this.#jobs.size < MOST_JOBS) this.#jobs.add(job);
    else this.#more = true;
  }

  ended(): void {
    this.#running = null;
  }

  /** Of an attempt: what it does when it has ended is told of. */
  lateOf({ spec, assignment }: TaskInput): Late {
    return new Late(spec.id, assignment.attempt, (error) => tell({ job: spec.id, error: toWire(error) }));
  }

  #take(error: unknown): void {
    if (error instanceof LateError) return;
    const job = this.#whose(error);
    const mine = this.#running !== null && (job === null || job === this.#running);
    if (mine && job !== null) throw this.#end(error);
    const cause = error instanceof Error ? error : new Error(String(error));
    const message = `outside its tasks code of ${job === null ? 'one of several jobs' : `job ${job}`} failed: ${cause.message}`;
    const hint = 'await every promise, and catch what it may throw';
    tell({ job, error: toWire(new DafError('ERR_DAF_USER_CODE', message, { hint, cause })) });
    if (mine) throw this.#end(Object.assign(new Error(message), { code: LOST_WITH_THREAD }));
  }

  #end(error: unknown): unknown {
    this.#ending = error ?? new Error(String(error));
    return this.#ending;
  }

  #whose(error: unknown): string | null {
    const all = [...this.#jobs];
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    const named = all.filter((job) => stack.includes(`/${job}/`));
    if (named.length === 1) return named[0]!;
    return all.length === 1 && !this.#more ? all[0]! : null;
  }
}

/** Code of what ends a thread that its own attempt need not be at fault for. */
export const LOST_WITH_THREAD = 'ERR_DAF_WORKER_LOST';

function tell(stray: Stray): void {
  parentPort?.postMessage({ stray });
}

export const strays = new Strays();
