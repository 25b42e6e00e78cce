import { attemptName, type Epoch } from '../../core/contracts/job.js';
import { type Assignment, FIRST_SKIPPING_TRY } from '../../core/contracts/task.js';
import type { CoreOptions } from './effects.js';
import { TimeHeap } from './heap.js';
import { type JobState, parseAttempt } from './job-state.js';
import { Leases } from './leases.js';
import type { Outbox } from './outbox.js';
import type { Scheduler, Worker } from './scheduler.js';
import { type Attempt, TASK } from './task-table.js';

/** All live attempts: who holds them, and whose lease still runs. */
export class AttemptBook {
  /** By the two numbers of their epochs, which are never used again: quicker to look for than names. */
  readonly #live = new Map<number, Map<number, Attempt>>();
  readonly #leases: Leases<Attempt>;
  readonly #deadlines = new TimeHeap<Attempt>();
  readonly #jobs: ReadonlyMap<string, JobState>;
  readonly #workers: ReadonlyMap<string, Worker>;
  readonly #scheduler: Scheduler;
  readonly #out: Outbox;
  readonly #term: number;

  constructor(
    { term, leaseMs }: Pick<CoreOptions, 'term' | 'leaseMs'>,
    jobs: ReadonlyMap<string, JobState>,
    workers: ReadonlyMap<string, Worker>,
    scheduler: Scheduler,
    out: Outbox,
  ) {
    this.#leases = new Leases(leaseMs);
    this.#jobs = jobs;
    this.#workers = workers;
    this.#scheduler = scheduler;
    this.#out = out;
    this.#term = term;
  }

  get(job: string, name: string): Attempt | undefined {
    const parsed = parseAttempt(name);
    return parsed === null ? undefined : this.find(job, name, parsed.epoch);
  }

  /** As {@link get}, for one whose epoch is known. */
  find(job: string, name: string, { term, counter }: Epoch): Attempt | undefined {
    const attempt = this.#live.get(term)?.get(counter);
    return attempt !== undefined && attempt.job === job && attempt.name === name ? attempt : undefined;
  }

  begin(worker: Worker, assignment: Assignment, now: number): Attempt {
    const { job: id, task, generation, attempt: name, epoch, try: tries, backup } = assignment;
    const attempt: Attempt = {
      job: id,
      task,
      generation,
      name,
      epoch,
      try: tries,
      backup,
      worker: worker.worker,
      startedAt: now,
      progress: 0,
      state: 'running',
      failure: null,
    };
    const job = this.#jobs.get(attempt.job)!;
    const ofTerm = this.#live.get(epoch.term);
    if (ofTerm === undefined) this.#live.set(epoch.term, new Map([[epoch.counter, attempt]]));
    else ofTerm.set(epoch.counter, attempt);
    worker.held.add(attempt);
    job.table(attempt.task).start(attempt);
    job.changed = true;
    this.#leases.renew(attempt, now);
    const limit = timeLimit(job, attempt);
    if (limit !== null) this.#deadlines.push(now + limit, attempt);
    this.#scheduler.offer(worker);
    return attempt;
  }

  renew(attempt: Attempt, now: number): void {
    if (attempt.state === 'running') this.#leases.renew(attempt, now);
  }

  /** Attempts that still run at their deadline. */
  overdue(now: number): Attempt[] {
    const late: Attempt[] = [];
    for (let due = this.#deadlines.popDue(now); due !== undefined; due = this.#deadlines.popDue(now)) {
      if (due.state === 'running' && this.#isLive(due)) late.push(due);
    }
    return late;
  }

  /** Attempts that were not named for a whole period. */
  expire(now: number): Attempt[] {
    return this.#leases.expire(now);
  }

  /** The worker no longer works on it, so it has room again. */
  release(attempt: Attempt): void {
    this.#leases.end(attempt);
    const worker = this.#workers.get(attempt.worker);
    if (worker?.held.delete(attempt)) this.#scheduler.offer(worker);
  }

  /** Forgets an attempt that has been decided. */
  drop(attempt: Attempt): void {
    const { term, counter } = attempt.epoch;
    const ofTerm = this.#live.get(term);
    if (this.#isLive(attempt)) ofTerm?.delete(counter);
    if (ofTerm?.size === 0 && term !== this.#term) this.#live.delete(term);
    this.#jobs.get(attempt.job)?.table(attempt.task).stop(attempt);
  }

  #isLive(attempt: Attempt): boolean {
    return this.#live.get(attempt.epoch.term)?.get(attempt.epoch.counter) === attempt;
  }

  revoke(attempt: Attempt): void {
    this.#out.revoke(attempt.worker, attempt.job, attempt.name);
    this.release(attempt);
    this.drop(attempt);
  }

  /** True for an attempt of an earlier term that may still commit; one of this term that is not live was fenced. */
  adoptable({ job: id, task, generation, attempt: name, epoch }: Assignment): boolean {
    const job = this.#jobs.get(id);
    if (job === undefined || job.phase !== 'running' || job.closing || !job.has(task)) return false;
    const table = job.table(task);
    const state = table.state[task.index];
    return (
      epoch.term < this.#term &&
      this.#live.get(epoch.term)?.has(epoch.counter) !== true && // an epoch is one attempt's
      name === attemptName(task, generation, epoch) &&
      table.generation[task.index] === generation &&
      state !== TASK.committed &&
      state !== TASK.reopening
    );
  }

  /** True for an attempt that a successor gave out: this coordinator is over and has no say in it, even if nobody has told it yet. */
  isOfLaterTerm({ term }: Epoch): boolean {
    return term > this.#term;
  }

  /** Answers a worker that names an attempt which is not live: committed, and the verdict was lost, or over. */
  answerUnknown(worker: string, id: string, name: string): void {
    const parsed = parseAttempt(name);
    if (parsed !== null && this.isOfLaterTerm(parsed.epoch)) return;
    const job = this.#jobs.get(id);
    const wins =
      parsed !== null &&
      job?.has(parsed.task) &&
      job.table(parsed.task).isWinner(parsed.task.index, parsed.generation, parsed.epoch);
    if (wins) this.#out.verdict(worker, id, name, 'committed');
    else this.#out.revoke(worker, id, name);
  }
}

/** Milliseconds; null for no limit. One that looks for records which hang waits for each of them twice, as long as a whole task may take. */
function timeLimit(job: JobState, attempt: Attempt): number | null {
  const { taskTimeoutMs: limit, maxSkipped } = job.spec;
  if (limit === null) return null;
  const looks = maxSkipped > 0 && attempt.task.stage === 'map' && attempt.try > FIRST_SKIPPING_TRY;
  return looks ? Math.min(Number.MAX_SAFE_INTEGER, limit * (2 * maxSkipped + 4)) : limit;
}
