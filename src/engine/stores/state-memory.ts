import { DafError } from '../../core/contracts/errors.js';
import { type JobPhase, type JobSpec, type TaskId, taskName } from '../../core/contracts/job.js';
import type { TaskRange } from '../../core/contracts/step.js';
import type { StateStore, StoredJob, StoredTask } from '../../core/contracts/stores.js';
import type { Commit, HeldCopy } from '../../core/contracts/task.js';
import { committed, compareTasks, failed, moved, reopened } from './task-record.js';

/** A StateStore that lives as long as the object: for simulations and tests, where "durable" means that it outlives a coordinator. */
export class MemoryStateStore implements StateStore {
  #term = 0;
  readonly #jobs = new Map<string, StoredJob>();
  readonly #tasks = new Map<string, Map<string, StoredTask>>();

  async beginTerm(_owner: string): Promise<number> {
    this.#term += 1;
    return this.#term;
  }

  async currentTerm(): Promise<number> {
    return this.#term;
  }

  async createJob(term: number, spec: JobSpec): Promise<'created' | 'exists'> {
    this.#fence(term);
    if (this.#jobs.has(spec.id)) return 'exists';
    this.#jobs.set(spec.id, { spec, phase: 'running', error: null });
    this.#tasks.set(spec.id, new Map());
    return 'created';
  }

  async listJobs(): Promise<readonly StoredJob[]> {
    return [...this.#jobs.values()].sort((a, b) => (a.spec.id < b.spec.id ? -1 : 1));
  }

  async getJob(job: string): Promise<StoredJob | null> {
    return this.#jobs.get(job) ?? null;
  }

  async setPhase(term: number, job: string, from: JobPhase, to: JobPhase, error: unknown): Promise<boolean> {
    this.#fence(term);
    const stored = this.#jobs.get(job);
    if (stored?.phase !== from) return false;
    this.#jobs.set(job, { ...stored, phase: to, error: error ?? null });
    return true;
  }

  async loadTasks(job: string, range?: TaskRange): Promise<readonly StoredTask[]> {
    const all = [...(this.#tasks.get(job)?.values() ?? [])].sort((a, b) => compareTasks(a.task, b.task));
    if (range === undefined) return all;
    const { step, stage, from, count } = range;
    return all.filter(({ task }) => task.step === step && task.stage === stage && task.index >= from).slice(0, count);
  }

  async commitTasks(
    term: number,
    commits: readonly { readonly job: string; readonly commit: Commit }[],
  ): Promise<readonly ('committed' | 'discarded')[]> {
    this.#fence(term);
    return commits.map(({ job, commit }) => {
      const tasks = this.#tasks.get(job);
      const after = tasks === undefined ? null : committed(tasks.get(taskName(commit.task)), commit);
      if (after === null) return 'discarded';
      tasks!.set(taskName(commit.task), after);
      return 'committed';
    });
  }

  async reopenTask(term: number, job: string, task: TaskId, generation: number): Promise<boolean> {
    this.#fence(term);
    const tasks = this.#tasks.get(job);
    const after = reopened(tasks?.get(taskName(task)), generation);
    if (after === null) return false;
    tasks!.set(taskName(task), after);
    return true;
  }

  async moveCopies(
    term: number,
    job: string,
    task: TaskId,
    generation: number,
    attempt: string,
    copies: readonly HeldCopy[],
  ): Promise<boolean> {
    this.#fence(term);
    const tasks = this.#tasks.get(job);
    const after = moved(tasks?.get(taskName(task)), generation, attempt, copies);
    if (after !== null) tasks!.set(taskName(task), after);
    return after !== null;
  }

  async countFailure(
    term: number,
    job: string,
    task: TaskId,
    generation: number,
    attempt: string,
    worker: string,
  ): Promise<number> {
    this.#fence(term);
    const tasks = this.#tasks.get(job);
    if (tasks === undefined) return 0;
    const after = failed(tasks.get(taskName(task)), task, generation, attempt, worker);
    tasks.set(taskName(task), after);
    return after.failures.length;
  }

  async deleteJob(term: number, job: string): Promise<void> {
    this.#fence(term);
    this.#jobs.delete(job);
    this.#tasks.delete(job);
  }

  async close(): Promise<void> {}

  #fence(term: number): void {
    if (term !== this.#term) throw fenced(term, this.#term);
  }
}

export function fenced(term: number, current: number): DafError {
  return new DafError('ERR_DAF_FENCED', `term ${term} is over: a coordinator with term ${current} has taken this state`, {
    hint: 'only one coordinator may work on one state',
  });
}
