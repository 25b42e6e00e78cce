import type { Epoch, JobPhase, JobSpec, TaskId } from './job.js';
import type { TaskRange } from './step.js';
import type { Commit, HeldCopy } from './task.js';

/**
 * The coordinator's durable memory. Every method is atomic and resolves only when its effect has reached stable storage.
 * Methods that take a `term` fail with ERR_DAF_FENCED when a later term has begun: a coordinator that lost its
 * leadership can change nothing.
 */
export interface StateStore {
  /** Begins a new term, larger than any before, and fences all earlier ones. */
  beginTerm(owner: string): Promise<number>;
  /** The latest term begun, 0 when none: a coordinator whose own is smaller has lost its leadership. */
  currentTerm(): Promise<number>;
  /** Creates a job; 'exists' when the id is taken (then nothing changes). */
  createJob(term: number, spec: JobSpec): Promise<'created' | 'exists'>;
  listJobs(): Promise<readonly StoredJob[]>;
  getJob(job: string): Promise<StoredJob | null>;
  /** Moves a job to another phase, if it is in `from`. */
  setPhase(term: number, job: string, from: JobPhase, to: JobPhase, error: unknown): Promise<boolean>;
  /**
   * What is recorded of a job's tasks that differ from idle, generation 0, in task order: by step, within it map, reduce, finalize,
   * each by index. `range` cuts out tasks of one stage with index ≥ from, at most `count` records of them.
   */
  loadTasks(job: string, range?: TaskRange): Promise<readonly StoredTask[]>;
  /**
   * The compare-and-set that decides between attempts: records the commit if the task is not committed and its generation
   * is the commit's. Of many calls in one tick each has its own answer; a batch is one transaction.
   */
  commitTasks(
    term: number,
    commits: readonly { readonly job: string; readonly commit: Commit }[],
  ): Promise<readonly ('committed' | 'discarded')[]>;
  /** Opens generation + 1 of a committed (or failed) task if it still is at `generation`. */
  reopenTask(term: number, job: string, task: TaskId, generation: number): Promise<boolean>;
  /**
   * Notes where the held output of a commit lies now: other workers have taken copies, or lost them. False, and nothing changes, unless the
   * commit of this attempt stands at this generation and workers hold its output.
   */
  moveCopies(
    term: number,
    job: string,
    task: TaskId,
    generation: number,
    attempt: string,
    copies: readonly HeldCopy[],
  ): Promise<boolean>;
  /** Counts a failed attempt of a task's generation, once however often it is told; returns the number so far. */
  countFailure(term: number, job: string, task: TaskId, generation: number, attempt: string, worker: string): Promise<number>;
  /** Forgets a job that is done, failed or cancelled. */
  deleteJob(term: number, job: string): Promise<void>;
  close(): Promise<void>;
}

export interface StoredJob {
  readonly spec: JobSpec;
  readonly phase: JobPhase;
  /** A WireError for failed jobs. */
  readonly error: unknown;
}

export interface StoredTask {
  readonly task: TaskId;
  readonly generation: number;
  /** Attempts of this generation that failed. */
  readonly failures: readonly string[];
  /** Workers on which attempts of this generation failed. */
  readonly failedOn: readonly string[];
  readonly commit: Commit | null;
}

export type { Epoch };

/**
 * Named bytes: inputs put at submit, attempt-private outputs, published results. Keys are relative, `/`-separated, without empty, `.`
 * or `..` parts, no NUL, any UTF-8 otherwise (≤ 1024 bytes, a part ≤ 255), and never below `_daf/tmp/`, which belongs to the store. Errors: ERR_DAF_NOT_FOUND, ERR_DAF_IO, ERR_DAF_PERMISSION, ERR_DAF_BAD_ARGUMENT
 * for a key that breaks the rules.
 */
export interface BlobStore {
  /** `file:///…`, `s3://bucket/prefix`. */
  readonly url: string;
  /** Asked once before a job begins. ERR_DAF_UNSUPPORTED where the store lacks what publishing needs. */
  checkUsable(): Promise<void>;
  /** Creates or replaces; durable when it resolves; readers see the old bytes or the new, never a part. */
  put(key: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo>;
  /** Moves a local file in, sparing a copy where the store can. Durable when it resolves. */
  putFile(key: string, path: string): Promise<BlobInfo>;
  /** Creates; false when the key exists, and then nothing changes. */
  putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean>;
  get(key: string): Promise<Uint8Array>;
  /** At most `length` bytes from `offset`; fewer only at the end. */
  getRange(key: string, offset: number, length: number): Promise<Uint8Array>;
  /** Null when there is none. */
  stat(key: string): Promise<BlobInfo | null>;
  /** Keys that start with prefix, in byte order. */
  list(prefix: string): AsyncIterable<BlobInfo>;
  /**
   * Gives committed bytes their final name; idempotent: true as well when `to` already holds them.
   * False when `to` exists with other bytes.
   */
  publish(from: string, to: string): Promise<boolean>;
  delete(key: string): Promise<void>;
  deletePrefix(prefix: string): Promise<void>;
  /** A local path that reads these bytes without a copy, or null where the store has none. It need not exist. */
  localPath(key: string): string | null;
}

export interface BlobInfo {
  readonly key: string;
  readonly bytes: number;
  /** Another one whenever the bytes are others, where the store tells (S3: the ETag). */
  readonly version?: string;
}
