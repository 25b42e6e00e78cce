import { DafError, fromWire } from '../../core/contracts/errors.js';
import type { JobStatus } from '../../core/contracts/job.js';
import type { JobEvent } from '../../core/contracts/messages.js';
import type { ClientLink } from './client-link.js';
import { JobResult } from './result.js';

const RENEW_MS = 2000;

/** A job that was submitted. */
export interface Job {
  readonly id: string;
  readonly name: string;
  /** URL of the output store. */
  readonly output: string;
  /** What happens until the job has ended; ends by itself. Several may run at once. Slow readers miss intermediate steps, never the end. */
  progress(): AsyncIterableIterator<JobEvent>;
  status(): Promise<JobStatus>;
  /**
   * What the job published, once it has.
   * @throws DafError ERR_DAF_JOB_FAILED with the cause, ERR_DAF_CANCELLED
   */
  result(): Promise<JobResult>;
  /** Stops the job and removes what it has written so far. Harmless when it has ended. */
  cancel(): Promise<void>;
}

export class JobHandle implements Job {
  readonly id: string;
  readonly name: string;
  readonly output: string;
  readonly #link: ClientLink;
  readonly #readers = new Set<EventQueue>();
  readonly #ended: Promise<JobStatus>;
  #end: (status: JobStatus) => void = () => {};
  #fail: (error: unknown) => void = () => {};
  #last: JobStatus;

  constructor(link: ClientLink, status: JobStatus) {
    this.#link = link;
    this.id = status.id;
    this.name = status.name;
    this.output = status.output;
    this.#last = status;
    this.#ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
    this.#ended.catch(() => {}); // whoever asks for the result gets it
    if (isOver(status)) this.#end(status);
    else void this.#follow();
  }

  async status(): Promise<JobStatus> {
    return isOver(this.#last) ? this.#last : this.#link.status(this.id);
  }

  async result(): Promise<JobResult> {
    const status = await this.#ended;
    if (status.phase === 'done') return JobResult.open(this.output);
    if (status.phase === 'cancelled') throw new DafError('ERR_DAF_CANCELLED', `job ${this.id} was cancelled`);
    const cause = status.error === null ? undefined : fromWire(status.error);
    if (cause?.code === 'ERR_DAF_JOB_FAILED' || cause?.code === 'ERR_DAF_OUTPUT_CONFLICT') throw cause;
    throw new DafError('ERR_DAF_JOB_FAILED', `job ${this.id} failed: ${cause?.message ?? 'no cause is known'}`, {
      hint: cause?.hint,
      cause,
    });
  }

  async cancel(): Promise<void> {
    if (!isOver(this.#last)) await this.#link.cancel(this.id);
  }

  progress(): AsyncIterableIterator<JobEvent> {
    const queue = new EventQueue(() => this.#readers.delete(queue));
    queue.push({ kind: 'progress', status: this.#last });
    if (isOver(this.#last)) queue.push({ kind: 'ended', status: this.#last });
    else this.#readers.add(queue);
    return queue;
  }

  /** Events are best effort, so the status is asked for as well: every renewal of the subscription answers with it. */
  async #follow(): Promise<void> {
    const unlisten = this.#link.listen(this.id, (event) => this.#note(event));
    try {
      while (!isOver(this.#last)) {
        const status = await this.#link.watch(this.id);
        this.#note(isOver(status) ? { kind: 'ended', status } : { kind: 'progress', status });
        if (!isOver(this.#last)) await this.#pause();
      }
    } catch (error) {
      this.#fail(error);
      for (const reader of this.#readers) reader.fail(error);
    } finally {
      unlisten();
    }
  }

  #wake: () => void = () => {};

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, RENEW_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #note(event: JobEvent): void {
    if (isOver(this.#last)) return;
    if ('status' in event) this.#last = event.status;
    const over = isOver(this.#last);
    const told: JobEvent = over && event.kind !== 'ended' ? { kind: 'ended', status: this.#last } : event;
    for (const reader of this.#readers) reader.push(told);
    if (!over) return;
    this.#end(this.#last);
    this.#wake();
  }
}

function isOver({ phase }: JobStatus): boolean {
  return phase === 'done' || phase === 'failed' || phase === 'cancelled';
}

/** Events for one reader. Of several progress events that wait only the newest is kept. */
class EventQueue implements AsyncIterableIterator<JobEvent> {
  readonly #onReturn: () => void;
  readonly #events: JobEvent[] = [];
  #error: unknown;
  #failed = false;
  #over = false;
  #wake: () => void = () => {};

  constructor(onReturn: () => void) {
    this.#onReturn = onReturn;
  }

  push(event: JobEvent): void {
    if (this.#events[this.#events.length - 1]?.kind === 'progress') this.#events.pop();
    this.#events.push(event);
    this.#wake();
  }

  fail(error: unknown): void {
    this.#failed = true;
    this.#error = error;
    this.#wake();
  }

  async next(): Promise<IteratorResult<JobEvent>> {
    while (this.#events.length === 0) {
      if (this.#over) return { done: true, value: undefined };
      if (this.#failed) throw this.#error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const event = this.#events.shift()!;
    if (event.kind === 'ended') {
      this.#over = true;
      this.#onReturn();
    }
    return { done: false, value: event };
  }

  async return(): Promise<IteratorResult<JobEvent>> {
    this.#over = true;
    this.#onReturn();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
