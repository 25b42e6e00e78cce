import type { WireError } from '../../core/contracts/errors.js';
import { attemptName, type JobPhase, type JobSpec, type JobStatus, type TaskId } from '../../core/contracts/job.js';
import type { Heartbeat, Member, WorkerStatus } from '../../core/contracts/messages.js';
import type { StoredJob, StoredTask } from '../../core/contracts/stores.js';
import type { Assignment, Commit, HeldCopy, Report } from '../../core/contracts/task.js';
import { Books } from './books.js';
import type { CoreOptions, Effect, WorkerInfo } from './effects.js';
import { JobEvents } from './job-events.js';
import type { JobState } from './job-state.js';
import { ReportEvents } from './report-events.js';
import { lookForRoom } from './room.js';
import type { Worker } from './scheduler.js';
import { findStragglers } from './stragglers.js';
import { WorkerEvents } from './worker-events.js';

const NOBODY: ReadonlySet<string> = new Set();

/**
 * The decisions of the coordinator as a pure machine: every method is an event with its time, {@link drain} gives the effects. Times are
 * milliseconds of one monotonic clock. All live attempts of a generation may commit; the store picks the first. Nothing here
 * scans all tasks of a job for one event.
 */
export class Core {
  readonly options: CoreOptions;
  readonly #books: Books;
  readonly #jobs: JobEvents;
  readonly #workers: WorkerEvents;
  readonly #reports: ReportEvents;
  #counter = 0;
  #last = 0;
  /** Time this process was stopped: it must not be held against the workers. */
  #paused = 0;

  constructor(options: CoreOptions) {
    this.options = options;
    this.#books = new Books(options);
    this.#jobs = new JobEvents(this.#books);
    this.#workers = new WorkerEvents(this.#books);
    this.#reports = new ReportEvents(this.#books, this.#jobs);
  }

  // ── jobs ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A job found in the store at start. */
  loadJob(stored: StoredJob, tasks: readonly StoredTask[], at: number): void {
    this.#jobs.load(stored, tasks, this.#advance(at));
  }

  /** A job that the store has just created. */
  jobCreated(spec: JobSpec, at: number): void {
    this.#jobs.created(spec, this.#advance(at));
  }

  /** Starts to cancel a running job; false when it is too late. An ended job is left as it is. */
  cancel(id: string, at: number): boolean {
    this.#advance(at);
    return this.#jobs.cancel(id);
  }

  /** See {@link JobEvents.strayed}. */
  strayed(id: string, error: WireError, at: number): 'failed' | 'too late' | null {
    this.#advance(at);
    return this.#jobs.strayed(id, error);
  }

  phaseSet(id: string, to: JobPhase, at: number): void {
    this.#jobs.phaseSet(id, to, this.#advance(at));
  }

  published(id: string, at: number): void {
    this.#advance(at);
    this.#jobs.published(id);
  }

  publishFailed(id: string, error: WireError, at: number): void {
    this.#advance(at);
    this.#jobs.publishFailed(id, error);
  }

  // ── workers; false for one that this term does not know ──────────────────────────────────────────────────────────

  workerHello(info: WorkerInfo, running: readonly Assignment[], at: number): void {
    this.#workers.hello(info, running, this.#advance(at));
  }

  heartbeat(id: string, message: Pick<Heartbeat, 'running' | 'peakBytes'>, at: number): boolean {
    return this.#from(id, at, (worker, now) => this.#workers.heartbeat(worker, message, now));
  }

  credit(id: string, seq: number, capacity: number, at: number): boolean {
    return this.#from(id, at, (worker) => this.#workers.credit(worker, seq, capacity));
  }

  report(id: string, report: Report, at: number): boolean {
    return this.#from(id, at, (worker, now) => this.#reports.report(worker, report, now));
  }

  workerBye(id: string, at: number): void {
    this.#workers.bye(id, this.#advance(at));
  }

  // ── answers of the store ─────────────────────────────────────────────────────────────────────────────────────────

  /** `winner`: the commit that stands for this task and generation now; null when the store discarded it for another reason. */
  commitDecided(id: string, commit: Commit, winner: Pick<Commit, 'epoch' | 'outcome'> | null, at: number): void {
    this.#reports.commitDecided(id, commit, winner, this.#advance(at));
  }

  failureCounted(id: string, attempt: string, count: number, at: number): void {
    this.#reports.failureCounted(id, attempt, count, this.#advance(at));
  }

  /** `outcome`: what the commit that was taken back had contributed; null when the store refused to reopen. */
  reopened(id: string, task: TaskId, generation: number, outcome: Commit['outcome'] | null, at: number): void {
    this.#reports.reopened(id, task, generation, outcome, this.#advance(at));
  }

  /** A committed output lies on more hosts than before: its copies were made again there. */
  copiesMade(id: string, task: TaskId, copies: readonly HeldCopy[]): void {
    const job = this.jobs.get(id);
    if (job?.has(task)) job.graph.noteHomes(task, copies);
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  tick(at: number): void {
    const now = this.#advance(at);
    this.#workers.expire(now);
    for (const attempt of this.#books.attempts.overdue(now)) this.#reports.overdue(attempt, now);
    this.#books.setbacks.wake(now);
    this.#jobs.tick(now);
    for (const job of this.#jobs.open) {
      findStragglers(job, now, this.options.backupAfterMs);
      lookForRoom(job, this.#books, now);
    }
  }

  /** What is to be done, in order; gives out ready tasks first. */
  drain(at: number): Effect[] {
    const now = this.#advance(at);
    const { scheduler, workers, out, health } = this.#books;
    const others = (failedOn: readonly string[]): boolean => {
      for (const id of workers.keys()) if (!failedOn.includes(id)) return true;
      return false;
    };
    const aside = health.any(now) ? health.aside(workers.keys(), now) : NOBODY;
    const rules = { others, patience: this.options.leaseMs, aside, pace: (worker: string) => health.pace(worker) };
    scheduler.run(now, rules, (worker, job, task, backup) => this.#assign(worker, job, task, backup, now));
    return out.drain();
  }

  // ── what clients see ─────────────────────────────────────────────────────────────────────────────────────────────

  get jobs(): ReadonlyMap<string, JobState> {
    return this.#books.jobs;
  }

  /** True while a job has not ended. */
  get busy(): boolean {
    return this.#jobs.open.size > 0;
  }

  status(id: string, at: number): JobStatus | null {
    return this.jobs.get(id)?.status(this.#books.workers.size, at - this.#paused) ?? null;
  }

  get threads(): number {
    let threads = 0;
    for (const worker of this.#books.workers.values()) threads += worker.threads;
    return threads;
  }

  knows(worker: string): boolean {
    return this.#books.workers.has(worker);
  }

  worker(id: string): (WorkerInfo & { readonly peakBytes: number }) | null {
    return this.#books.workers.get(id) ?? null;
  }

  /** Another number whenever workers have come or gone. */
  get membership(): number {
    return this.#books.membership;
  }

  get memberCount(): number {
    return this.#books.workers.size;
  }

  members(): Member[] {
    return [...this.#books.workers.values()].map(({ worker, host, endpoint }) => ({ worker, host, endpoint }));
  }

  workers(at: number): WorkerStatus[] {
    return this.#workers.list(at - this.#paused);
  }

  // ── within ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A clock without the time this process did not run (stopped, swapped out): nobody could renew a lease meanwhile. */
  #advance(at: number): number {
    const gap = at - this.#last;
    if (this.#last > 0 && gap > this.options.leaseMs / 2) this.#paused += gap;
    this.#last = Math.max(this.#last, at);
    return at - this.#paused;
  }

  #from(id: string, at: number, act: (worker: Worker, now: number) => void): boolean {
    const now = this.#advance(at);
    const worker = this.#workers.heard(id, now);
    if (worker !== undefined) act(worker, now);
    return worker !== undefined;
  }

  #assign(worker: Worker, job: JobState, task: TaskId, backup: boolean, now: number): void {
    const { attempts, out } = this.#books;
    const table = job.table(task);
    const generation = table.generation[task.index]!;
    const epoch = { term: this.options.term, counter: this.#counter++ };
    const assignment: Assignment = {
      job: job.spec.id,
      task,
      generation,
      attempt: attemptName(task, generation, epoch),
      epoch,
      try: table.tries[task.index]! + 1,
      backup,
    };
    attempts.begin(worker, assignment, now);
    out.assign(worker.worker, this.options.term, assignment);
  }
}
