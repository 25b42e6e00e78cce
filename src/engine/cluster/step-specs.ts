import type { Coverage } from '../../core/contracts/coverage.js';
import type { Params } from '../../core/contracts/definition.js';
import type { InputFormat, TaskMemory } from '../../core/contracts/job.js';
import type { StepSpec } from '../../core/contracts/step.js';
import { MERGE_FAN_IN, mergeBytes } from '../../core/memory-plan.js';
import { type CompiledStep, hasReduce } from '../jobs/steps.js';
import type { JobCode } from './code.js';
import type { CompiledSubmit } from './options.js';

/** The job's input as it lies in the output store. */
export interface StoredInput {
  readonly format: InputFormat;
  readonly splits: number;
  /** The bytes of those splits. */
  readonly coverage: Coverage;
  /** Splits of a sample, listed behind the others; null where the input can only be read as a whole. */
  readonly sampleSplits: number | null;
}

/** True when a step samples the job's input. */
export function isSampled({ steps }: JobCode): boolean {
  return steps.some(({ samples, from }) => samples && from.length === 0);
}

/** What coordinator and workers must know of each step. */
export function stepSpecs({ steps }: JobCode, options: CompiledSubmit, input: StoredInput): StepSpec[] {
  const specs: StepSpec[] = [];
  for (const step of steps) {
    const { name, from, given, cuts, samples, code } = step;
    specs.push({
      name,
      from,
      given,
      cuts,
      ...intake(step, specs, input),
      reducers: samples ? 1 : hasReduce(code) ? (step.reducers ?? options.reducers) : 0,
      hasCombine: !samples && code.combine !== undefined,
      groupPrefix: samples ? 0 : (code.groupPrefix ?? 0),
      memory: taskMemory(code, options),
    });
  }
  return specs;
}

function intake(
  { from, samples }: CompiledStep,
  before: readonly StepSpec[],
  input: StoredInput,
): Pick<StepSpec, 'input' | 'splits' | 'firstSplit'> {
  if (from.length > 0) {
    const tasks = from.map((each) => before[each]!).reduce((sum, { reducers, splits }) => sum + (reducers || splits), 0);
    return { input: { kind: 'packed' }, splits: tasks, firstSplit: 0 };
  }
  const { format, splits, sampleSplits } = input;
  return samples && sampleSplits !== null
    ? { input: format, splits: sampleSplits, firstSplit: splits }
    : { input: format, splits, firstSplit: 0 };
}

/** What a task of a step reserves: what the job says, else what suits the cluster. */
function taskMemory({ memory }: CompiledStep['code'], options: CompiledSubmit): TaskMemory {
  return { sortBuffer: memory?.sortBuffer ?? options.memory.sortBuffer, task: memory?.task ?? options.memory.task };
}

/** Bytes that the largest task of a job reserves, of however many splits it will consist. */
export function largestTask({ steps }: JobCode, options: CompiledSubmit): number {
  return Math.max(
    ...steps.map(({ code, samples }) => {
      const { sortBuffer, task } = taskMemory(code, options);
      return task + (samples || hasReduce(code) ? Math.max(sortBuffer, mergeBytes(MERGE_FAN_IN)) : 0);
    }),
  );
}

/** A format that may depend on the job's parameters. */
export function withParams<T extends object>(given: T | ((params: Params) => T) | undefined, params: Params): T | undefined {
  return typeof given === 'function' ? given(params) : given;
}
