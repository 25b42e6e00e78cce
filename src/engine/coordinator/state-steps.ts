import { DafError } from '../../core/contracts/errors.js';
import type { JobSpec } from '../../core/contracts/job.js';
import type { StateStore, StoredJob, StoredTask } from '../../core/contracts/stores.js';
import type { Commit, HeldCopy } from '../../core/contracts/task.js';
import { type FailpointName, failpoint } from '../../core/failpoint.js';
import type { Effect } from './effects.js';
import { StageGraph } from './stage-graph.js';

const RETRY_MS = 200;
const MAX_RETRY_MS = 5000;
/** A state that cannot be written for this long ends the coordinator; its workers wait for the next one. */
const STATE_PATIENCE_MS = 120_000;
const TASK_PAGE = 500;
/** What a coordinator passes when a phase has become durable. */
const AFTER_PHASE: Readonly<Record<Extract<Effect, { kind: 'set-phase' }>['to'], FailpointName>> = {
  running: 'coordinator.job-created',
  publishing: 'coordinator.publishing',
  done: 'coordinator.done',
  failed: 'coordinator.failed',
  cancelled: 'coordinator.cancel',
};

/** What a step on the state needs of its coordinator. */
export interface StepWorld {
  readonly state: StateStore;
  now(): number;
  sleep(ms: number): Promise<void>;
  log(level: 'error', message: string, fields: Readonly<Record<string, unknown>>): void;
}

/**
 * The coordinator's steps on its StateStore. Each is tried again until it succeeds: a full disk stops progress, it loses nothing. None
 * resolves once the coordinator has ended.
 */
export class StateSteps {
  readonly #term: number;
  readonly #world: StepWorld;
  readonly #isClosed: () => boolean;
  readonly #stop: (error: DafError) => void;

  /** @param stop ends the coordinator: it was fenced, or its state cannot be written */
  constructor(term: number, world: StepWorld, isClosed: () => boolean, stop: (error: DafError) => void) {
    this.#term = term;
    this.#world = world;
    this.#isClosed = isClosed;
    this.#stop = stop;
  }

  async persist<T>(what: string, step: () => Promise<T>): Promise<T> {
    const begun = this.#world.now();
    for (let pause = RETRY_MS; ; pause = Math.min(MAX_RETRY_MS, pause * 2)) {
      if (this.#isClosed()) return new Promise<T>(() => {});
      try {
        return await step();
      } catch (error) {
        const daf = DafError.from(error, 'ERR_DAF_IO');
        if (daf.code === 'ERR_DAF_FENCED' || this.#world.now() - begun > STATE_PATIENCE_MS) {
          this.#stop(daf);
          return new Promise<T>(() => {});
        }
        this.#world.log('error', `${what} could not be written; trying again`, { error: daf.message });
        await this.#world.sleep(pause);
      }
    }
  }

  /** For each commit the one that stands for its task and generation now, or null. */
  async commit(commits: readonly { readonly job: string; readonly commit: Commit }[]): Promise<(Commit | null)[]> {
    const verdicts = await this.persist('commits', () => this.#world.state.commitTasks(this.#term, commits));
    failpoint('coordinator.after-commit');
    const winners: (Commit | null)[] = [];
    for (const [i, { job, commit }] of commits.entries()) {
      // Discarded may mean that an earlier try of this very call was written after all: what stands decides.
      winners.push(verdicts[i] === 'committed' ? commit : await this.#standing(job, commit));
    }
    return winners;
  }

  async countFailure({ job, task, generation, attempt, worker }: Extract<Effect, { kind: 'count-failure' }>): Promise<number> {
    const { state } = this.#world;
    const count = await this.persist('a failure', () => state.countFailure(this.#term, job, task, generation, attempt, worker));
    failpoint('coordinator.failure-counted');
    return count;
  }

  /** What the commit that was taken back had contributed; null when there was none. */
  async reopen({ job, task, generation }: Extract<Effect, { kind: 'reopen' }>): Promise<Commit['outcome'] | null> {
    const before = await this.stored(job, task);
    await this.persist('a new generation', () => this.#world.state.reopenTask(this.#term, job, task, generation));
    failpoint('coordinator.reopened');
    return before?.generation === generation ? (before.commit?.outcome ?? null) : null;
  }

  /** Notes where the output of a commit lies now; without effect when that commit no longer stands. */
  async moveCopies(
    job: string,
    task: Commit['task'],
    generation: number,
    attempt: string,
    copies: readonly HeldCopy[],
  ): Promise<void> {
    await this.persist('copies', () => this.#world.state.moveCopies(this.#term, job, task, generation, attempt, copies));
    failpoint('coordinator.copies-moved');
  }

  async setPhase({ job, from, to, error }: Extract<Effect, { kind: 'set-phase' }>): Promise<void> {
    if (to === 'publishing') failpoint('coordinator.before-publishing');
    await this.persist('a phase', async () => {
      if (await this.#world.state.setPhase(this.#term, job, from, to, error)) return;
      const phase = (await this.#world.state.getJob(job))?.phase;
      if (phase !== to) throw new DafError('ERR_DAF_INTERNAL', `job ${job} is ${phase}, expected ${from}`);
    });
    failpoint(AFTER_PHASE[to]);
  }

  job(id: string): Promise<StoredJob | null> {
    return this.persist('a job', () => this.#world.state.getJob(id));
  }

  /** @throws DafError ERR_DAF_FENCED when a later term has begun */
  async checkTerm(): Promise<void> {
    const current = await this.persist('the term', () => this.#world.state.currentTerm());
    if (current !== this.#term) throw new DafError('ERR_DAF_FENCED', `term ${this.#term} is over`);
  }

  /** All recorded tasks of a job in order, a page at a time: a large job need not fit in memory. */
  async *tasks(spec: JobSpec): AsyncIterable<readonly StoredTask[]> {
    for (const { step, stage } of new StageGraph(spec).tables) {
      for (let from = 0, more = true; more; ) {
        const range = { step, stage, from, count: TASK_PAGE };
        const page = await this.persist('tasks', () => this.#world.state.loadTasks(spec.id, range));
        yield page;
        more = page.length === TASK_PAGE;
        from = (page.at(-1)?.task.index ?? 0) + 1;
      }
    }
  }

  /** Null for a task of which nothing is recorded. */
  async stored(job: string, { step, stage, index }: Commit['task']): Promise<StoredTask | null> {
    const range = { step, stage, from: index, count: 1 };
    const [stored] = await this.persist('a task', () => this.#world.state.loadTasks(job, range));
    return stored?.task.index === index ? stored : null;
  }

  async #standing(job: string, commit: Commit): Promise<Commit | null> {
    const stored = await this.stored(job, commit.task);
    return stored !== null && stored.generation === commit.generation ? stored.commit : null;
  }
}
