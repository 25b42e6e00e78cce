import { Packr } from 'msgpackr';
import { DafError } from '../../../core/contracts/errors.js';
import type { JobPhase, JobSpec, TaskId } from '../../../core/contracts/job.js';
import type { TaskRange } from '../../../core/contracts/step.js';
import type { StateStore, StoredJob, StoredTask } from '../../../core/contracts/stores.js';
import type { Commit, HeldCopy } from '../../../core/contracts/task.js';
import { fenced } from '../state-memory.js';
import { idleTask, moved, STAGES } from '../task-record.js';
import { RedisConnection } from './connection.js';
import { parseRedisUrl } from './place.js';
import { SCRIPTS, type ScriptName } from './scripts.js';
import { checkServer, serverFacts } from './server-check.js';

/** Tasks one script reads: a larger one would hold up the server's other callers. */
const PAGE = 2000;

const packr = new Packr({ useRecords: false });

/**
 * The StateStore of a cluster: one Redis or Valkey primary with an append-only file, one script for each operation. Acknowledged
 * writes that a failover lost are noticed by the sequence number, which then is lower than one that was seen; the store answers
 * ERR_DAF_FENCED from then on, and whoever starts anew goes on from what the server has. Terms never repeat, since they follow the
 * server's clock where that is ahead.
 *
 * A whole job's tasks are read in pages: each task as it is when its page is read.
 */
export class RedisStateStore implements StateStore {
  readonly #connection: RedisConnection;
  readonly #tag: string;
  #seen = 0;
  #closed = false;

  private constructor(connection: RedisConnection) {
    this.#connection = connection;
    this.#tag = `{${connection.place.prefix}}`;
  }

  /**
   * @param url as {@link parseRedisUrl} takes it
   * @param warn is told what is allowed but risky
   * @throws DafError ERR_DAF_BAD_OPTION, ERR_DAF_UNREACHABLE, ERR_DAF_PERMISSION, ERR_DAF_UNSUPPORTED for a server that may lose what it acknowledged
   */
  static async open(url: string, warn: (message: string) => void = () => {}): Promise<RedisStateStore> {
    const place = parseRedisUrl(url);
    const connection = await RedisConnection.open(place);
    try {
      for (const warning of checkServer(await serverFacts(connection.redis), place.shown, place.replicas)) warn(warning);
    } catch (error) {
      await connection.close();
      throw DafError.from(error, 'ERR_DAF_IO');
    }
    return new RedisStateStore(connection);
  }

  async beginTerm(owner: string): Promise<number> {
    const [term] = await this.#call('beginTerm', null, [], owner);
    return term as number;
  }

  async currentTerm(): Promise<number> {
    const [term] = await this.#call('currentTerm', null, []);
    return term as number;
  }

  async createJob(term: number, spec: JobSpec): Promise<'created' | 'exists'> {
    const [created] = await this.#call('createJob', term, ['jobs', `job:${spec.id}`], spec.id, packr.pack(spec));
    return created === 1 ? 'created' : 'exists';
  }

  async listJobs(): Promise<readonly StoredJob[]> {
    const [ids] = await this.#call('listJobs', null, ['jobs']);
    const jobs = await Promise.all((ids as Buffer[]).map((id) => this.getJob(id.toString())));
    return jobs.filter((job) => job !== null);
  }

  async getJob(job: string): Promise<StoredJob | null> {
    const [fields] = await this.#call('getJob', null, [`job:${job}`]);
    const [spec, phase, error] = fields as (Buffer | null)[];
    if (spec == null || phase == null) return null;
    return {
      spec: packr.unpack(spec) as JobSpec,
      phase: phase.toString() as JobPhase,
      error: error == null ? null : packr.unpack(error),
    };
  }

  async setPhase(term: number, job: string, from: JobPhase, to: JobPhase, error: unknown): Promise<boolean> {
    const why = error == null ? '' : packr.pack(error);
    const [set] = await this.#call('setPhase', term, [`job:${job}`], from, to, why);
    return set === 1;
  }

  async loadTasks(job: string, range?: TaskRange): Promise<readonly StoredTask[]> {
    const wanted = range?.count ?? Number.POSITIVE_INFINITY;
    let from = range === undefined ? '-' : `[${placeOf({ ...range, index: range.from })}`;
    const to = range === undefined ? '+' : `(${stageEnd(range)}`;
    const found: StoredTask[] = [];
    while (found.length < wanted) {
      const count = Math.min(PAGE, wanted - found.length);
      const [rows] = await this.#call('loadTasks', null, [`order:${job}`, `tasks:${job}`], from, to, count);
      const cells = rows as Buffer[];
      for (let i = 0; i < cells.length; i += 4) found.push(storedTask(cells.slice(i, i + 4)));
      if (cells.length < 4 * count) break;
      from = `(${cells.at(-4)!.toString()}`;
    }
    return found;
  }

  async commitTasks(
    term: number,
    commits: readonly { readonly job: string; readonly commit: Commit }[],
  ): Promise<readonly ('committed' | 'discarded')[]> {
    const jobs = [...new Set(commits.map(({ job }) => job))];
    const args = commits.flatMap(({ job, commit }) => [
      jobs.indexOf(job),
      placeOf(commit.task),
      commit.generation,
      packr.pack(commit),
    ]);
    const keys = jobs.flatMap((job) => [`job:${job}`, `order:${job}`, `tasks:${job}`]);
    const [verdicts] = await this.#call('commitTasks', term, keys, ...args);
    return (verdicts as number[]).map((verdict) => (verdict === 1 ? 'committed' : 'discarded'));
  }

  async reopenTask(term: number, job: string, task: TaskId, generation: number): Promise<boolean> {
    const [reopened] = await this.#call('reopenTask', term, [`tasks:${job}`], placeOf(task), generation);
    return reopened === 1;
  }

  /** Reads, then compares and sets: one coordinator writes, so that it is tried again only after a write of its own. */
  async moveCopies(
    term: number,
    job: string,
    task: TaskId,
    generation: number,
    attempt: string,
    copies: readonly HeldCopy[],
  ): Promise<boolean> {
    const keys = [`order:${job}`, `tasks:${job}`];
    const place = placeOf(task);
    for (;;) {
      const [rows] = await this.#call('loadTasks', term, keys, `[${place}`, `[${place}`, 1);
      const cells = rows as Buffer[];
      const after = cells.length === 0 ? null : moved(storedTask(cells), generation, attempt, copies);
      if (after === null) return false;
      const [done] = await this.#call(
        'replaceCommit',
        term,
        [`tasks:${job}`],
        place,
        generation,
        cells[3]!,
        packr.pack(after.commit),
      );
      if (done === 1) return true;
    }
  }

  async countFailure(
    term: number,
    job: string,
    task: TaskId,
    generation: number,
    attempt: string,
    worker: string,
  ): Promise<number> {
    const keys = [`job:${job}`, `order:${job}`, `tasks:${job}`];
    const [count] = await this.#call('countFailure', term, keys, placeOf(task), generation, attempt, worker);
    return count as number;
  }

  async deleteJob(term: number, job: string): Promise<void> {
    await this.#call('deleteJob', term, ['jobs', `job:${job}`, `order:${job}`, `tasks:${job}`], job);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#connection.close();
  }

  /** Runs a script; what it answers after verdict and sequence number. `keys` are those after the head, without the tag. */
  async #call(
    name: ScriptName,
    term: number | null,
    keys: readonly string[],
    ...args: (string | number | Buffer)[]
  ): Promise<unknown[]> {
    if (this.#closed) throw new DafError('ERR_DAF_CLOSED', 'the state store is closed');
    const all = ['head', ...keys].map((key) => `${this.#tag}:${key}`);
    const count = SCRIPTS[name].keys === null ? [all.length] : [];
    const answer = await this.#connection.script(name, [...count, ...all, this.#seen, term ?? '', ...args]);
    const [verdict, seq, ...rest] = answer as [Buffer, number, ...unknown[]];
    if (verdict.toString() === 'lost') throw lost(this.#connection.place.shown, seq, this.#seen);
    this.#seen = Math.max(this.#seen, seq);
    if (verdict.toString() === 'fenced') throw fenced(term!, rest[0] as number);
    if (SCRIPTS[name].writes) await this.#connection.replicated();
    return rest;
  }
}

function lost(shown: string, has: number, seen: number): DafError {
  return new DafError('ERR_DAF_FENCED', `${shown} is at write ${has}, although ${seen} was acknowledged: it has lost writes`, {
    hint: 'a failover, FLUSHALL or a restored backup; start the coordinator again to go on from what is there',
    retryable: true,
  });
}

/** A task's name within its job; bytes order as tasks do. */
function placeOf({ step, stage, index }: TaskId): string {
  return `${String(step).padStart(3, '0')}.${STAGES.indexOf(stage)}.${String(index).padStart(16, '0')}`;
}

/** After every place of a stage. */
function stageEnd({ step, stage }: TaskRange): string {
  return `${String(step).padStart(3, '0')}.${STAGES.indexOf(stage)}.~`;
}

function storedTask([place, generation, failures, commit]: readonly Buffer[]): StoredTask {
  const [step, stage, index] = place!.toString().split('.').map(Number) as [number, number, number];
  const failed = failures!.length === 0 ? [] : (JSON.parse(failures!.toString()) as [string, string][]);
  return {
    ...idleTask({ step, stage: STAGES[stage]!, index }),
    generation: Number(generation!.toString()),
    failures: failed.map(([attempt]) => attempt),
    failedOn: [...new Set(failed.map(([, worker]) => worker))],
    commit: commit!.length === 0 ? null : (packr.unpack(commit!) as Commit),
  };
}
