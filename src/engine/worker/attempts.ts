import { isDeepStrictEqual } from 'node:util';
import { addon } from '../../core/addon/index.js';
import { DafError, toWire } from '../../core/contracts/errors.js';
import type { JobSpec, TaskId } from '../../core/contracts/job.js';
import { readsOf, type TaskRange } from '../../core/contracts/step.js';
import type { Assignment, Commit, HeldOutput, Report, TaskInput, TaskSource } from '../../core/contracts/task.js';
import { taskBudget } from '../../core/memory-plan.js';
import { PeakSampler } from '../../core/memory-sample.js';
import { removeAttemptData } from './attempt-data.js';
import { ControlWords } from './control-words.js';
import type { Fetcher } from './data/fetcher.js';
import { type GatherTarget, gatherInputs } from './data/gather.js';
import { type ReplicaSource, replicate } from './data/replicas.js';
import type { JobCache, JobFiles } from './job-files.js';
import { LostInputs } from './lost-inputs.js';
import type { WorkerOptions } from './options.js';
import { TaskPool } from './pool.js';
import type { TaskResult } from './task-result.js';

/** A revoked attempt whose code does not look at its flag loses its thread after this. */
const GRACE_MS = 5000;
/** Tasks shorter than this are fetched ahead and crossed to a thread in batches. */
const SHORT_MS = 5;
const MAX_AHEAD = 240;
const MAX_TASKS_A_CROSSING = 64;
/** Work that is fetched ahead, and that crosses at once. */
const AHEAD_MS = 50;
const CROSSING_MS = 10;
/** Tasks shorter than this have the next one of their thread ready when they end: the way to the coordinator and back would be time lost. */
const MEDIUM_MS = 100;
/** An attempt that has waited this long for what it reads waits for a task that may have nowhere to run but here. */
const LONG_WAIT_MS = 1000;

export interface AttemptSource extends ReplicaSource {
  readonly jobs: JobCache;
  outputs(job: string, range: TaskRange): Promise<HeldOutput[]>;
  commits(job: string): Promise<Commit[]>;
  readonly fetcher: Fetcher;
  /** Tells the coordinator of a copy that is gone. */
  copyLost(job: string, attempt: string, holder: string): void;
  /** Where this worker serves what it holds; null for nowhere. */
  readonly dataEndpoint: string | null;
}

export interface AttemptEvents {
  onEnded(key: string, report: Report): void;
  /** The capacity may have changed. */
  onCapacity(): void;
}

interface Attempt {
  readonly key: string;
  readonly assignment: Assignment;
  readonly control: Int32Array;
  /** Ends the thread of the batch in which it runs; null before. */
  abort: AbortController | null;
  input: TaskInput | null;
  reserved: number;
  state: 'preparing' | 'ready' | 'running';
  /** Since when it waits for other tasks' outputs, one of which is being made again; null while it does not. */
  waitingSince: number | null;
  revoked: boolean;
  peak: number;
}

export const attemptKey = (attempt: { readonly job: string; readonly attempt: string }): string =>
  `${attempt.job}/${attempt.attempt}`;

/** The attempts of this worker: fetches what they need, admits them against the memory budget, runs them, reports their end. */
export class AttemptTable {
  readonly sampler = new PeakSampler(() => addon().pluginPids());
  readonly #options: WorkerOptions;
  readonly #source: AttemptSource;
  readonly #events: AttemptEvents;
  readonly #pool: TaskPool;
  readonly #attempts = new Map<string, Attempt>();
  readonly #controls = new ControlWords();
  readonly #budget: number;
  #reserved = 0;
  #busy = 0;
  #meanMs = 1000;

  constructor(options: WorkerOptions, source: AttemptSource, events: AttemptEvents) {
    this.#options = options;
    this.#source = source;
    this.#events = events;
    this.#budget = taskBudget(options.budgetBytes, options.threads);
    this.#pool = new TaskPool(options.budgetBytes, options.threads);
  }

  /**
   * How many attempts this worker wants to hold. More than it has threads only while tasks are so short that fetching them takes longer, and
   * while attempts wait for others: where all workers are full of those, what they wait for could run nowhere.
   */
  get capacity(): number {
    const late = performance.now() - LONG_WAIT_MS;
    let waiting = 0;
    for (const { waitingSince } of this.#attempts.values()) if (waitingSince !== null && waitingSince < late) waiting += 1;
    return this.#options.threads + waiting + this.#ahead;
  }

  get #ahead(): number {
    if (this.#meanMs < SHORT_MS) return Math.min(MAX_AHEAD, Math.ceil(AHEAD_MS / this.#meanMs));
    return this.#meanMs < MEDIUM_MS ? this.#options.threads : 0;
  }

  running(): { readonly assignment: Assignment; readonly progress: number }[] {
    return [...this.#attempts.values()]
      .filter((attempt) => !attempt.revoked)
      .map(({ assignment, control }) => ({ assignment, progress: progressOf(control) }));
  }

  start(assignment: Assignment): void {
    const key = attemptKey(assignment);
    if (this.#attempts.has(key)) return;
    const control = this.#controls.next();
    const attempt: Attempt = {
      key,
      assignment,
      control,
      abort: null,
      input: null,
      reserved: 0,
      state: 'preparing',
      waitingSince: null,
      revoked: false,
      peak: 0,
    };
    this.#attempts.set(key, attempt);
    this.#prepare(attempt).then(
      () => this.#pump(),
      (error: unknown) => this.#end(attempt, failed(error)),
    );
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
    await this.#source.jobs.drop(job);
  }
  readonly #whenEnded = new Map<string, () => void>();

  async close(): Promise<void> {
    this.sampler.close();
    for (const attempt of this.#attempts.values()) Atomics.store(attempt.control, 0, 1);
    await this.#pool.close();
  }

  async #prepare(attempt: Attempt): Promise<void> {
    const { job, task } = attempt.assignment;
    const files = await this.#source.jobs.get(job);
    attempt.reserved = this.#need(files.spec, task);
    if (attempt.reserved > this.#budget) {
      throw new DafError(
        'ERR_DAF_MEMORY_LIMIT',
        `a ${task.stage} task needs ${attempt.reserved} bytes, this worker has ${this.#budget}`,
        {
          hint: 'raise --memory, or lower memory.sortBuffer or memory.task of the job',
        },
      );
    }
    const inputs = await this.#gather(attempt, files);
    const commits = task.stage === 'finalize' ? await this.#source.commits(job) : null;
    attempt.input = this.#input(attempt, files, inputs, commits);
    attempt.state = 'ready';
  }

  async #gather(attempt: Attempt, files: JobFiles): Promise<TaskSource[][]> {
    const { assignment } = attempt;
    const ranges = readsOf(files.spec, assignment.task);
    if (ranges.length === 0) return [];
    const ask = async (): Promise<HeldOutput[][]> => {
      attempt.waitingSince = performance.now();
      const held = await Promise.all(ranges.map((range) => this.#source.outputs(assignment.job, range)));
      attempt.waitingSince = null;
      return held;
    };
    const held = await ask();
    const target: GatherTarget = {
      ...files,
      assignment,
      host: this.#options.host,
      isCancelled: () => attempt.revoked,
      members: () => this.#source.members(),
      copyLost: (output, holder) => this.#source.copyLost(assignment.job, output, holder),
    };
    try {
      return await gatherInputs(held, target, this.#source.fetcher);
    } catch (error) {
      // Workers come and go while this fetches, and copies are made again meanwhile: nothing is lost before the coordinator was asked again.
      if (!(error instanceof LostInputs) || attempt.revoked) throw error;
      const now = await ask();
      if (isDeepStrictEqual(now, held)) throw error;
      return gatherInputs(now, target, this.#source.fetcher);
    }
  }

  #input(attempt: Attempt, files: JobFiles, inputs: TaskSource[][], commits: Commit[] | null): TaskInput {
    const { name, host, runners } = this.#options;
    return {
      ...files,
      assignment: attempt.assignment,
      runnerUrl: runners[files.spec.code.kind],
      worker: name,
      host,
      dataEndpoint: this.#source.dataEndpoint,
      inputs,
      commits,
      control: attempt.control,
    };
  }

  #need(spec: JobSpec, { step, stage }: TaskId): number {
    const { memory, reducers } = spec.steps[step]!;
    return memory.task + (stage === 'map' && reducers > 0 ? memory.sortBuffer : 0);
  }

  /** Starts what is ready, in order of arrival, while threads are free and the budget admits it. */
  #pump(): void {
    while (this.#busy < this.#options.threads) {
      const batch = this.#nextBatch();
      if (batch.length === 0) return;
      void this.#run(batch);
    }
  }

  #nextBatch(): Attempt[] {
    const batch: Attempt[] = [];
    const most = this.#meanMs < SHORT_MS ? Math.min(MAX_TASKS_A_CROSSING, Math.ceil(CROSSING_MS / this.#meanMs)) : 1;
    let reserved = 0;
    for (const attempt of this.#attempts.values()) {
      if (attempt.state !== 'ready') continue;
      if (batch.length > 0 && attempt.assignment.job !== batch[0]!.assignment.job) break;
      // A batch runs one after the other in one thread, so it needs what its largest needs.
      reserved = Math.max(reserved, attempt.reserved);
      if (this.#reserved + reserved > this.#budget) break;
      batch.push(attempt);
      if (batch.length === most) break;
    }
    return batch;
  }

  async #run(batch: readonly Attempt[]): Promise<void> {
    const reserved = Math.max(...batch.map((each) => each.reserved));
    this.#reserved += reserved;
    this.#busy += 1;
    this.#samplePeaks();
    const abort = new AbortController();
    for (const attempt of batch) {
      attempt.state = 'running';
      attempt.abort = abort;
    }
    const results = await this.#pool.run(
      batch.map((attempt) => attempt.input!),
      abort.signal,
    );
    this.#reserved -= reserved;
    this.#busy -= 1;
    this.#samplePeaks();
    for (let i = 0; i < batch.length; i++) {
      this.#meanMs += 0.2 * (results[i]!.milliseconds - this.#meanMs);
      void this.#finish(batch[i]!, results[i]!);
    }
    this.#pump();
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
    } else this.#events.onEnded(key, this.#report(attempt, result));
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

function failed(error: unknown): TaskResult {
  const lost = error instanceof LostInputs ? error : null;
  const outcome = { kind: 'failed', error: toWire(lost?.error ?? error), lost: lost?.lost ?? [] } as const;
  return { outcome, milliseconds: 0, nativePeakBytes: 0 };
}

function progressOf(control: Int32Array): number {
  const total = Atomics.load(control, 2);
  return total <= 0 ? 0 : Math.min(1, Math.max(0, Atomics.load(control, 1) / total));
}
