import { addon } from '../../core/addon/index.js';
import type { Assignment, Report, TaskInput } from '../../core/contracts/task.js';
import { taskBudget } from '../../core/memory-plan.js';
import { PeakSampler } from '../../core/memory-sample.js';
import { type Attempt, attemptKey, failed, progressOf } from './attempt.js';
import { removeAttemptData } from './attempt-data.js';
import { MemoryBudget } from './budget.js';
import { ControlWords, hasBegun } from './control-words.js';
import { type ReplicaSource, replicate } from './data/replicas.js';
import type { JobCache } from './job-files.js';
import type { WorkerOptions } from './options.js';
import { MAX_CROSSINGS_A_THREAD, Pace } from './pace.js';
import { TaskPool } from './pool.js';
import { type InputSource, Preparation } from './preparation.js';
import type { Stray } from './strays.js';
import type { TaskResult } from './task-result.js';

/** A revoked attempt whose code does not look at its flag loses its thread after this. */
const GRACE_MS = 5000;
/** A thread that dies as often before an attempt has begun cannot run it. */
const MAX_DISPLACED = 3;
/** An attempt that has waited this long for what it reads waits for a task that may have nowhere to run but here. */
const LONG_WAIT_MS = 1000;

export interface AttemptSource extends ReplicaSource, InputSource {
  readonly jobs: JobCache;
}

export interface AttemptEvents {
  onEnded(report: Report): void;
  /** The capacity may have changed. */
  onCapacity(): void;
  onStray(stray: Stray): void;
}

/** The attempts of this worker: fetches what they need, admits them against the memory budget, runs them, reports their end. */
export class AttemptTable {
  readonly sampler = new PeakSampler(() => addon().pluginPids());
  readonly #options: WorkerOptions;
  readonly #source: AttemptSource;
  readonly #events: AttemptEvents;
  readonly #pool: TaskPool;
  readonly #attempts = new Map<string, Attempt>();
  readonly #controls = new ControlWords();
  readonly #preparation: Preparation;
  readonly #pace: Pace;
  readonly #budget: MemoryBudget;
  #crossings = 0;

  constructor(options: WorkerOptions, source: AttemptSource, events: AttemptEvents) {
    this.#options = options;
    this.#source = source;
    this.#events = events;
    this.#budget = new MemoryBudget(taskBudget(options.budgetBytes, options.threads));
    this.#preparation = new Preparation(options, source, this.#budget);
    this.#pace = new Pace(options.threads);
    this.#pool = new TaskPool(options.budgetBytes, options.threads, (stray) => events.onStray(stray));
    this.sampler.pause();
  }

  /**
   * How many attempts this worker wants to hold. More than it has threads only while tasks are so short that fetching them takes longer, and
   * while attempts wait for others: where all workers are full of those, what they wait for could run nowhere.
   */
  get capacity(): number {
    const late = performance.now() - LONG_WAIT_MS;
    const kinds = new Set<string>();
    let waiting = 0;
    let last = '';
    for (const { kind, waitingSince } of this.#attempts.values()) {
      if (kind !== last) kinds.add(kind);
      last = kind;
      if (waitingSince !== null && waitingSince < late) waiting += 1;
    }
    return this.#options.threads + waiting + this.#pace.ahead(kinds);
  }

  running(): { readonly assignment: Assignment; readonly progress: number }[] {
    return [...this.#attempts.values()]
      .filter((attempt) => !attempt.revoked)
      .map(({ assignment, control }) => ({ assignment, progress: progressOf(control) }));
  }

  /** Takes attempts over; what of them can run does so at once, several together where they are short. */
  start(assignments: readonly Assignment[]): void {
    for (const assignment of assignments) this.#begin(assignment);
    this.#pump();
  }

  #begin(assignment: Assignment): void {
    const key = attemptKey(assignment);
    if (this.#attempts.has(key)) return;
    const { job, task } = assignment;
    const attempt: Attempt = {
      key,
      kind: this.#kindOf(job, task),
      assignment,
      control: this.#controls.next(),
      abort: null,
      input: null,
      reserved: 0,
      state: 'preparing',
      waitingSince: null,
      revoked: false,
      peak: 0,
      displaced: 0,
    };
    this.#attempts.set(key, attempt);
    try {
      const input = this.#preparation.prepare(attempt);
      if (input instanceof Promise) void this.#whenPrepared(attempt, input);
      else this.#prepared(attempt, input);
    } catch (error) {
      this.#end(attempt, failed(error));
    }
  }

  #lastKind = { job: '', step: -1, stage: '', kind: '' };

  /** Of attempts in a row one text, that is not put together again. */
  #kindOf(job: string, { step, stage }: Assignment['task']): string {
    const last = this.#lastKind;
    if (last.job === job && last.step === step && last.stage === stage) return last.kind;
    const kind = `${job}/${step}/${stage}`;
    this.#lastKind = { job, step, stage, kind };
    return kind;
  }

  async #whenPrepared(attempt: Attempt, input: Promise<TaskInput>): Promise<void> {
    try {
      this.#prepared(attempt, await input);
    } catch (error) {
      this.#end(attempt, failed(error));
    }
    this.#pump(); // after a failure too: what it had reserved is free
  }

  #prepared(attempt: Attempt, input: TaskInput): void {
    attempt.input = input;
    attempt.state = 'ready';
  }

  /** Stops an attempt; it is not reported. */
  revoke(key: string): void {
    const attempt = this.#attempts.get(key);
    if (attempt === undefined || attempt.revoked) return;
    attempt.revoked = true;
    Atomics.store(attempt.control, 0, 1);
    if (attempt.state === 'running') {
      const { abort } = attempt;
      const grace = setTimeout(() => abort?.abort(), GRACE_MS);
      abort?.signal.addEventListener('abort', () => clearTimeout(grace));
      grace.unref();
    } else {
      this.#attempts.delete(key);
    }
  }

  /** Stops all attempts of a job and removes what this directory holds of it. */
  async dropJob(job: string): Promise<void> {
    const ending: Promise<void>[] = [];
    for (const attempt of [...this.#attempts.values()]) {
      if (attempt.assignment.job !== job) continue;
      if (attempt.state === 'running') ending.push(new Promise((resolve) => this.#whenEnded.set(attempt.key, resolve)));
      this.revoke(attempt.key);
    }
    await Promise.all(ending);
    this.#pace.forget((kind) => kind.startsWith(`${job}/`));
    this.#events.onCapacity();
    await this.#source.jobs.drop(job);
  }
  readonly #whenEnded = new Map<string, () => void>();

  async close(): Promise<void> {
    this.sampler.close();
    for (const attempt of this.#attempts.values()) Atomics.store(attempt.control, 0, 1);
    await this.#pool.close();
  }

  /** Starts what is ready, in order of arrival, while threads are free and the budget admits it. */
  #pump(): void {
    while (this.#crossings < this.#options.threads * MAX_CROSSINGS_A_THREAD) {
      const batch = this.#nextBatch();
      if (batch.length === 0) return;
      if (this.#crossings >= this.#options.threads * this.#pace.crossingsAThread(batch[0]!.kind)) return;
      void this.#run(batch);
    }
  }

  #nextBatch(): Attempt[] {
    const batch: Attempt[] = [];
    let most = 1;
    let reserved = 0;
    for (const attempt of this.#attempts.values()) {
      if (attempt.state !== 'ready') continue;
      if (batch.length === 0) most = this.#pace.crossing(attempt.kind);
      else if (attempt.kind !== batch[0]!.kind) break;
      // A batch runs one after the other in one thread, so it needs what its largest needs.
      reserved = Math.max(reserved, attempt.reserved);
      if (!this.#budget.fits(reserved)) break;
      batch.push(attempt);
      if (batch.length === most) break;
    }
    return batch;
  }

  async #run(batch: readonly Attempt[]): Promise<void> {
    const reserved = Math.max(...batch.map((each) => each.reserved));
    const giveBack = this.#budget.take(reserved);
    this.#crossings += 1;
    this.sampler.resume();
    this.#samplePeaks();
    const abort = new AbortController();
    for (const attempt of batch) {
      attempt.state = 'running';
      attempt.abort = abort;
    }
    const inputs = batch.map((attempt) => attempt.input!);
    const results = await this.#pool.run(inputs, abort.signal);
    giveBack();
    this.#crossings -= 1;
    this.#samplePeaks();
    if (this.#crossings === 0) this.sampler.pause();
    for (const [i, attempt] of batch.entries()) this.#ran(attempt, results[i]!);
    this.#pump();
  }

  #ran(attempt: Attempt, result: TaskResult): void {
    const turned = result.outcome.kind === 'done' || attempt.revoked || hasBegun(attempt.control);
    if (!turned && attempt.displaced < MAX_DISPLACED) {
      // Its thread was taken down by another attempt before it had its turn: no fault of its own.
      attempt.displaced += 1;
      attempt.state = 'ready';
      attempt.abort = null;
      return;
    }
    // How soon an attempt failed says nothing of how long its kind takes.
    if (result.outcome.kind === 'done') this.#pace.note(attempt.kind, result.milliseconds);
    void this.#finish(attempt, result);
  }

  /** Copies what the attempt left before it is reported: its thread is free meanwhile, its lease goes on. */
  async #finish(attempt: Attempt, result: TaskResult): Promise<void> {
    const { outcome } = result;
    const { input } = attempt;
    if (outcome.kind !== 'done' || outcome.held === null || input === null || input.spec.replicas < 2) {
      this.#end(attempt, result);
      return;
    }
    try {
      const held = await replicate(outcome.held, input, this.#source, this.#source.fetcher);
      this.#end(attempt, { ...result, outcome: { ...outcome, held } });
    } catch (error) {
      this.#end(attempt, failed(error));
    }
  }

  #end(attempt: Attempt, result: TaskResult): void {
    const { key, assignment } = attempt;
    if (this.#attempts.get(key) !== attempt) return;
    this.#attempts.delete(key);
    if (attempt.revoked) {
      void this.#source.jobs
        .get(assignment.job)
        .then((files) => removeAttemptData(files.dataDir, assignment.attempt))
        .catch(() => {});
    } else this.#events.onEnded(this.#report(attempt, result));
    this.#whenEnded.get(key)?.();
    this.#whenEnded.delete(key);
    this.#events.onCapacity();
  }

  #report({ assignment, reserved, peak }: Attempt, result: TaskResult): Report {
    const { job, task, generation, attempt, epoch } = assignment;
    return {
      job,
      task,
      generation,
      attempt,
      epoch,
      outcome: result.outcome,
      usage: {
        worker: this.#options.name,
        milliseconds: Math.round(result.milliseconds),
        reservedBytes: reserved,
        nativePeakBytes: result.nativePeakBytes,
        processPeakBytes: Math.max(peak, this.sampler.now()),
      },
    };
  }

  /** Between two calls the set of running attempts does not change, so the peak since the last one belongs to all of them. */
  #samplePeaks(): void {
    const peak = this.sampler.window();
    for (const attempt of this.#attempts.values()) {
      if (attempt.state === 'running') attempt.peak = Math.max(attempt.peak, peak);
    }
  }
}
