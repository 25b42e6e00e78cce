import { closeSync, existsSync, mkdirSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { type Key, open, type RootDatabase, type RootDatabaseOptions } from 'lmdb';
import { isPlainCommit, packCommit, unpackCommit } from '../../core/compact.js';
import { DafError } from '../../core/contracts/errors.js';
import type { JobPhase, JobSpec, TaskId } from '../../core/contracts/job.js';
import { MAX_STEPS, type TaskRange } from '../../core/contracts/step.js';
import type { StateStore, StoredJob, StoredTask } from '../../core/contracts/stores.js';
import type { Commit, HeldCopy } from '../../core/contracts/task.js';
import { DiskRoom } from './disk-room.js';
import { fenced } from './state-memory.js';
import { committed, failed, moved, reopened, STAGES } from './task-record.js';

const TERM = ['term'];
const jobKey = (job: string): string[] => ['job', job];
const taskKey = (job: string, { step, stage, index }: TaskId): (string | number)[] => [
  'task',
  job,
  step,
  STAGES.indexOf(stage),
  index,
];

/** A task's job and name stand in its key, which orders as tasks do. The commit is of the generation beside it. */
type TaskRow = readonly [generation: number, failures: readonly string[], failedOn: readonly string[], commit: unknown];

const NONE: readonly string[] = Object.freeze([]);

function packRow({ generation, failures, failedOn, commit }: StoredTask): TaskRow {
  return [generation, failures, failedOn, commit === null ? null : packCommit(commit)];
}

/** Of a task's first commit, which mostly is its only one: nothing but that where it is all numbers. */
function packFirst(commit: Commit): unknown {
  const packed = packCommit(commit);
  return isPlainCommit(packed) ? packed : ([0, NONE, NONE, packed] satisfies TaskRow);
}

function unpackRow(task: TaskId, row: unknown): StoredTask {
  if (isPlainCommit(row)) return { task, generation: 0, failures: NONE, failedOn: NONE, commit: unpackCommit(row, task, 0) };
  if (!Array.isArray(row)) return { task, ...(row as Omit<StoredTask, 'task'>) }; // as earlier versions wrote it
  const [generation, failures, failedOn, commit] = row as unknown as TaskRow;
  return { task, generation, failures, failedOn, commit: commit === null ? null : unpackCommit(commit, task, generation) };
}

/** What an lmdb file has in its first bytes, behind the head of its first page. */
const MAGIC = Buffer.from('dec0efbe', 'hex');

/** lmdb trusts its file: one that it has not written ends the process. */
function refuseOtherFile(file: string): void {
  if (!existsSync(file)) return;
  const start = Buffer.alloc(64);
  const descriptor = openSync(file, 'r');
  const bytes = readSync(descriptor, start);
  closeSync(descriptor);
  if (bytes === 0 || start.subarray(0, bytes).includes(MAGIC)) return;
  throw new DafError('ERR_DAF_BAD_DATA', `${file} is no state of a coordinator`, {
    hint: 'name another directory, or move the file away if the jobs it knew may be forgotten',
  });
}

/**
 * The StateStore of one machine: an lmdb environment in a directory. Calls of one tick share a transaction and an fsync, calls in
 * flight overlap, so that throughput does not wait for the disk; each resolves only after its own flush.
 */
export class LmdbStateStore implements StateStore {
  readonly #db: RootDatabase;
  readonly #room: DiskRoom;
  #closed = false;

  /** @throws DafError ERR_DAF_IO or ERR_DAF_PERMISSION when the directory cannot be used, ERR_DAF_BAD_DATA when its file is no state. */
  constructor(directory: string) {
    try {
      mkdirSync(directory, { recursive: true });
      refuseOtherFile(join(directory, 'data.mdb'));
      this.#room = new DiskRoom(directory);
      this.#db = open({
        path: directory,
        noSubdir: false,
        encoding: 'msgpack',
        maxDbs: 2,
        // With it, a promise that nobody holds rejects when the disk is full, and ends the process. Missing from lmdb's types.
        eventTurnBatching: false,
      } as RootDatabaseOptions & { path: string });
    } catch (error) {
      const { code } = DafError.from(error, 'ERR_DAF_IO');
      if (code === 'ERR_DAF_BAD_DATA') throw error;
      throw new DafError(
        code === 'ERR_DAF_PERMISSION' ? code : 'ERR_DAF_IO',
        `state directory ${directory}: ${(error as Error).message}`,
        {
          hint: 'it must be a writable directory on a local file system',
          cause: error,
        },
      );
    }
  }

  beginTerm(owner: string): Promise<number> {
    return this.#write(null, () => {
      const term = this.#term() + 1;
      this.#put(TERM, { term, owner });
      return term;
    });
  }

  async currentTerm(): Promise<number> {
    this.#open();
    return this.#term();
  }

  createJob(term: number, spec: JobSpec): Promise<'created' | 'exists'> {
    return this.#write(term, () => {
      if (this.#db.get(jobKey(spec.id)) !== undefined) return 'exists';
      this.#put(jobKey(spec.id), { spec, phase: 'running', error: null } satisfies StoredJob);
      return 'created';
    });
  }

  async listJobs(): Promise<readonly StoredJob[]> {
    this.#open();
    return [...this.#db.getRange({ start: ['job'], end: ['job', '\uffff'] })].map(({ value }) => value as StoredJob);
  }

  async getJob(job: string): Promise<StoredJob | null> {
    this.#open();
    return (this.#db.get(jobKey(job)) as StoredJob | undefined) ?? null;
  }

  setPhase(term: number, job: string, from: JobPhase, to: JobPhase, error: unknown): Promise<boolean> {
    return this.#write(term, () => {
      const stored = this.#db.get(jobKey(job)) as StoredJob | undefined;
      if (stored?.phase !== from) return false;
      this.#put(jobKey(job), { ...stored, phase: to, error: error ?? null });
      return true;
    });
  }

  async loadTasks(job: string, range?: TaskRange): Promise<readonly StoredTask[]> {
    this.#open();
    const bounds =
      range === undefined
        ? { start: ['task', job], end: ['task', job, MAX_STEPS] }
        : {
            start: taskKey(job, { ...range, index: range.from }),
            end: taskKey(job, { ...range, index: Number.MAX_SAFE_INTEGER }),
            limit: range.count,
          };
    return [...this.#db.getRange(bounds)].map(({ key, value }) => {
      const [, , step, stage, index] = key as [string, string, number, number, number];
      return unpackRow({ step, stage: STAGES[stage]!, index }, value);
    });
  }

  commitTasks(
    term: number,
    commits: readonly { readonly job: string; readonly commit: Commit }[],
  ): Promise<readonly ('committed' | 'discarded')[]> {
    return this.#write(term, () => {
      const jobs = new Map<string, boolean>();
      const exists = (job: string): boolean => {
        const known = jobs.get(job) ?? this.#db.doesExist(jobKey(job));
        jobs.set(job, known);
        return known;
      };
      return commits.map(({ job, commit }) => {
        if (!exists(job)) return 'discarded';
        // Most tasks have no row yet, and need not be looked for.
        if (commit.generation === 0 && this.#putFirst(job, commit)) return 'committed';
        const after = committed(this.#task(job, commit.task), commit);
        if (after === null) return 'discarded';
        this.#putTask(job, after);
        return 'committed';
      });
    });
  }

  reopenTask(term: number, job: string, task: TaskId, generation: number): Promise<boolean> {
    return this.#write(term, () => {
      const after = reopened(this.#task(job, task), generation);
      if (after !== null) this.#putTask(job, after);
      return after !== null;
    });
  }

  moveCopies(
    term: number,
    job: string,
    task: TaskId,
    generation: number,
    attempt: string,
    copies: readonly HeldCopy[],
  ): Promise<boolean> {
    return this.#write(term, () => {
      const after = moved(this.#task(job, task), generation, attempt, copies);
      if (after !== null) this.#putTask(job, after);
      return after !== null;
    });
  }

  countFailure(term: number, job: string, task: TaskId, generation: number, attempt: string, worker: string): Promise<number> {
    return this.#write(term, () => {
      if (!this.#db.doesExist(jobKey(job))) return 0;
      const after = failed(this.#task(job, task), task, generation, attempt, worker);
      this.#putTask(job, after);
      return after.failures.length;
    });
  }

  deleteJob(term: number, job: string): Promise<void> {
    return this.#write(term, () => {
      const keys = [...this.#db.getKeys({ start: ['task', job], end: ['task', job, MAX_STEPS] })];
      for (const key of keys) this.#remove(key);
      this.#remove(jobKey(job));
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#db.close();
  }

  /** One atomic step, fenced by term unless null; resolves once it is on stable storage. */
  async #write<T>(term: number | null, step: () => T): Promise<T> {
    this.#open();
    let overtaken = 0;
    try {
      this.#room.check();
      const done = this.#db.transaction(() => {
        const current = this.#term();
        if (term !== null && term !== current) {
          overtaken = current;
          return undefined;
        }
        return step();
      });
      const result = await done;
      if (overtaken > 0) throw fenced(term!, overtaken);
      await this.#db.flushed;
      return result as T;
    } catch (error) {
      if (DafError.is(error)) throw error;
      const reason = await commitError(error);
      throw new DafError('ERR_DAF_IO', `the state could not be written: ${reason.message}`, {
        hint: 'is the disk full?',
        retryable: true,
        cause: error,
      });
    }
  }

  #term(): number {
    return (this.#db.get(TERM) as { term: number } | undefined)?.term ?? 0;
  }

  #task(job: string, task: TaskId): StoredTask | undefined {
    const row: unknown = this.#db.get(taskKey(job, task));
    return row === undefined ? undefined : unpackRow(task, row);
  }

  #putTask(job: string, task: StoredTask): void {
    this.#put(taskKey(job, task.task), packRow(task));
  }

  /** Of a task that has none; false for one that has. */
  #putFirst(job: string, commit: Commit): boolean {
    // That it tells whether it has written is missing from lmdb's types.
    return this.#db.putSync(taskKey(job, commit.task), packFirst(commit), {
      noOverwrite: true,
    }) as unknown as boolean;
  }

  /** Within a step: the step's own promise tells whether it was written, this one must not be left unhandled. */
  #put(key: Key, value: unknown): void {
    this.#db.put(key, value).catch(() => {});
  }

  #remove(key: Key): void {
    this.#db.remove(key).catch(() => {});
  }

  #open(): void {
    if (this.#closed) throw new DafError('ERR_DAF_CLOSED', 'the state store is closed');
  }
}

/** lmdb rejects with a promise of the reason. */
async function commitError(error: unknown): Promise<Error> {
  const { commitError } = error as { commitError?: Promise<never> };
  if (commitError === undefined) return error as Error;
  return commitError.catch((reason: Error) => reason);
}
