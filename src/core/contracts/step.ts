import { fetchBytes, MERGE_FAN_IN, mergeBytes, planned, type TaskPlan } from '../memory-plan.js';
import { DafError } from './errors.js';
import type { InputFormat, JobSpec, TaskId, TaskMemory, TaskStage } from './job.js';

export const MAX_STEPS = 64;

/**
 * One map, and reduce where it has reducers. Steps form a directed graph: `from` and `given` name earlier ones. What a step leaves for
 * others is dropped once all tasks that read it have committed; the last step's parts are the results of the job.
 */
export interface StepSpec {
  /** [A-Za-z0-9._-], ≤ 64 characters, unique within the job. */
  readonly name: string;
  /** Steps whose records it maps, a map task for each of their output tasks, in this order. Empty: the job's input. */
  readonly from: readonly number[];
  /** Steps of which every task may read all records. They lie in the output store. */
  readonly given: readonly number[];
  /** One of `given` whose records are cut points: records are partitioned by range, so that parts are in total order. Null: by hash. */
  readonly cuts: number | null;
  readonly input: InputFormat;
  /** Map tasks. */
  readonly splits: number;
  /** Where the splits of its map tasks begin in the job's list; 0 for a step that maps others. */
  readonly firstSplit: number;
  /** Reduce tasks; 0: map-only. */
  readonly reducers: number;
  readonly hasCombine: boolean;
  /** Keys that agree in this many first bytes are one group for reduce (secondary sort); 0: whole keys. */
  readonly groupPrefix: number;
  readonly memory: TaskMemory;
}

/** Tasks `from … from + count − 1` of one stage of a step. */
export interface TaskRange {
  readonly step: number;
  readonly stage: TaskStage;
  readonly from: number;
  readonly count: number;
}

/** The tasks whose outputs are the outputs of a step. */
export function outputsOf(spec: JobSpec, step: number): TaskRange {
  const { reducers, splits } = spec.steps[step]!;
  return reducers > 0 ? { step, stage: 'reduce', from: 0, count: reducers } : { step, stage: 'map', from: 0, count: splits };
}

/** The outputs of other tasks that a task reads: the one it maps (or all that it merges) first, then those of given steps. */
export function readsOf(spec: JobSpec, { step, stage, index }: TaskId): TaskRange[] {
  if (stage === 'finalize') return [];
  const { splits, from, given } = spec.steps[step]!;
  const side = given.map((each) => outputsOf(spec, each));
  if (stage === 'reduce') return [{ step, stage: 'map', from: 0, count: splits }, ...side];
  const mapped = from.length === 0 ? [] : [producerOf(spec, from, index)];
  return [...mapped, ...side];
}

function producerOf(spec: JobSpec, from: readonly number[], index: number): TaskRange {
  let before = 0;
  for (const each of from) {
    const { step, stage, count } = outputsOf(spec, each);
    if (index < before + count) return { step, stage, from: index - before, count: 1 };
    before += count;
  }
  throw new RangeError(`the steps ${from.join()} have ${before} output tasks, not ${index + 1}`);
}

export type OutputPlace =
  /** Published when the job is done. */
  | 'results'
  /** With the worker that made it, for tasks that map it. */
  | 'worker'
  /** In the output store, for tasks that are given all of it. */
  | 'store';

/** What a task takes of its worker's budget. */
export function taskPlan({ steps }: Pick<JobSpec, 'steps'>, { step, stage }: Pick<TaskId, 'step' | 'stage'>): TaskPlan {
  const { memory, reducers, splits, from } = steps[step]!;
  const scratch = memory.task;
  if (stage === 'reduce') return { sort: 0, merge: mergeBytes(splits), fetch: fetchBytes(splits), scratch };
  if (stage === 'finalize') return { sort: 0, merge: 0, fetch: 0, scratch };
  const fetch = fetchBytes(Math.min(from.length, 1));
  // How often it spills nobody knows before.
  return reducers === 0
    ? { sort: 0, merge: 0, fetch, scratch }
    : { sort: memory.sortBuffer, merge: mergeBytes(MERGE_FAN_IN), fetch, scratch };
}

/** Bytes that a task reserves of its worker's budget before it starts, and holds until it has ended. */
export function reservedBytes(spec: Pick<JobSpec, 'steps'>, task: Pick<TaskId, 'step' | 'stage'>): number {
  return planned(taskPlan(spec, task));
}

/** Where the records that a step puts out go. */
export function placeOf(spec: JobSpec, step: number): OutputPlace {
  if (step === spec.steps.length - 1) return 'results';
  const isGiven = spec.steps.some(({ given }) => given.includes(step));
  return isGiven || spec.intermediate === 'blob' ? 'store' : 'worker';
}

/**
 * The first step that maps the job's input for the results, and not for what other steps are given: each record of the input passes
 * through it once.
 */
export function intakeOf({ steps }: JobSpec): number {
  const main = new Set<number>([steps.length - 1]);
  for (let i = steps.length - 1; i >= 0; i--) if (main.has(i)) for (const each of steps[i]!.from) main.add(each);
  return steps.findIndex(({ from }, i) => main.has(i) && from.length === 0);
}

/**
 * That the steps of a job are a graph that can run.
 * @throws DafError ERR_DAF_BAD_JOB
 */
export function checkSteps(spec: JobSpec): void {
  const { steps } = spec;
  if (steps.length === 0 || steps.length > MAX_STEPS) {
    throw new DafError('ERR_DAF_BAD_JOB', `a job has 1 to ${MAX_STEPS} steps, not ${steps.length}`);
  }
  const names = new Set<string>();
  for (const [i, { name, from, given, cuts, splits }] of steps.entries()) {
    const bad = (why: string): DafError => new DafError('ERR_DAF_BAD_JOB', `step ${name}: ${why}`);
    if (names.has(name)) throw bad('another step has that name');
    names.add(name);
    if ([...from, ...given].some((each) => each >= i)) throw bad('it can read earlier steps only');
    if (new Set([...from, ...given]).size !== from.length + given.length) throw bad('it reads a step twice');
    if (cuts !== null && !given.includes(cuts)) throw bad('its cut points come from a step that it is not given');
    const mapped = from.reduce((sum, each) => sum + outputsOf(spec, each).count, 0);
    if (from.length > 0 && mapped !== splits) throw bad(`${splits} map tasks for ${mapped} outputs`);
    const isRead = steps.some((each) => each.from.includes(i) || each.given.includes(i));
    if (isRead !== i < steps.length - 1) throw bad(isRead ? 'the last step cannot be read' : 'nobody reads it');
  }
}
