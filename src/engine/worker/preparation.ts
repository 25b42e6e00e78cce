import { isDeepStrictEqual } from 'node:util';
import { DafError } from '../../core/contracts/errors.js';
import type { JobSpec, TaskId } from '../../core/contracts/job.js';
import { readsOf, reservedBytes, type TaskRange, taskPlan } from '../../core/contracts/step.js';
import type { Assignment, Commit, HeldOutput, TaskInput, TaskSource } from '../../core/contracts/task.js';
import type { MemoryBudget } from './budget.js';
import type { Fetcher } from './data/fetcher.js';
import { type GatherTarget, gatherInputs } from './data/gather.js';
import type { ReplicaSource } from './data/replicas.js';
import type { JobCache, JobFiles } from './job-files.js';
import { LostInputs } from './lost-inputs.js';
import type { WorkerOptions } from './options.js';

/** Where what attempts need comes from. */
export interface InputSource extends Pick<ReplicaSource, 'members'> {
  readonly jobs: Pick<JobCache, 'get' | 'loaded'>;
  outputs(job: string, range: TaskRange): Promise<HeldOutput[]>;
  commits(job: string): Promise<Commit[]>;
  readonly fetcher: Fetcher;
  /** Tells the coordinator of a copy that is gone. */
  copyLost(job: string, attempt: string, holder: string): void;
  /** Where this worker serves what it holds; null for nowhere. */
  readonly dataEndpoint: string | null;
}

/** An attempt while what it needs is being fetched. */
export interface Preparing {
  readonly assignment: Assignment;
  readonly control: Int32Array;
  /** Bytes of the worker's budget that it takes. */
  reserved: number;
  /** Since when it waits for other tasks' outputs, one of which is being made again; null while it does not. */
  waitingSince: number | null;
  readonly revoked: boolean;
}

const NOTHING: readonly (readonly TaskSource[])[] = [];

/** Fetches what attempts need before they can run. */
export class Preparation {
  readonly #options: WorkerOptions;
  readonly #source: InputSource;
  readonly #budget: MemoryBudget;

  /** @param budget what the tasks of this worker share */
  constructor(options: WorkerOptions, source: InputSource, budget: MemoryBudget) {
    this.#options = options;
    this.#source = source;
    this.#budget = budget;
  }

  /** What the thread needs; no promise where all of it is here already, which is so for most tasks of a job. @throws DafError */
  prepare(attempt: Preparing): TaskInput | Promise<TaskInput> {
    const { job, task } = attempt.assignment;
    const files = this.#source.jobs.loaded(job);
    if (files === null) return this.#source.jobs.get(job).then((loaded) => this.#with(attempt, loaded));
    return readsNothing(files.spec, task) ? this.#alone(attempt, files) : this.#with(attempt, files);
  }

  #alone(attempt: Preparing, files: JobFiles): TaskInput {
    this.#admit(attempt, files.spec);
    return this.#input(attempt, files, NOTHING, null);
  }

  async #with(attempt: Preparing, files: JobFiles): Promise<TaskInput> {
    this.#admit(attempt, files.spec);
    const { job, task } = attempt.assignment;
    const inputs = await this.#gather(attempt, files);
    const commits = task.stage === 'finalize' ? await this.#source.commits(job) : null;
    return this.#input(attempt, files, inputs, commits);
  }

  /** Notes what the attempt reserves. @throws DafError ERR_DAF_MEMORY_LIMIT for one that never fits */
  #admit(attempt: Preparing, spec: JobSpec): void {
    const { task } = attempt.assignment;
    attempt.reserved = reservedBytes(spec, task);
    if (attempt.reserved <= this.#budget.bytes) return;
    throw new DafError(
      'ERR_DAF_MEMORY_LIMIT',
      `a ${task.stage} task needs ${attempt.reserved} bytes, this worker has ${this.#budget.bytes}`,
      {
        hint: 'raise --memory, or lower memory.sortBuffer or memory.task of the job',
      },
    );
  }

  async #gather(attempt: Preparing, files: JobFiles): Promise<TaskSource[][]> {
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
      reserve: () => this.#budget.whenTaken(taskPlan(files.spec, assignment.task).fetch),
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

  #input(
    { assignment, control }: Preparing,
    { spec, codePath, dataDir }: JobFiles,
    inputs: TaskInput['inputs'],
    commits: Commit[] | null,
  ): TaskInput {
    const { name: worker, host, runners } = this.#options;
    const { dataEndpoint } = this.#source;
    const runnerUrl = runners[spec.code.kind];
    return { spec, assignment, runnerUrl, codePath, dataDir, worker, host, dataEndpoint, inputs, commits, control };
  }
}

/** True for a map of the job's input that is given nothing beside it. */
function readsNothing({ steps }: JobSpec, { step, stage }: TaskId): boolean {
  const { from, given } = steps[step]!;
  return stage === 'map' && from.length === 0 && given.length === 0;
}
