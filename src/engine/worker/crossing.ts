import { isPlain, PLAIN, packOutcome, plainAt, pushPlain, unpackOutcome } from '../../core/compact.js';
import { attemptName, type TaskStage } from '../../core/contracts/job.js';
import type { Commit, Outcome, TaskInput } from '../../core/contracts/task.js';
import { CONTROL_WORDS } from './control-words.js';
import type { TaskResult } from './task-result.js';

type Own = 'assignment' | 'inputs' | 'commits' | 'control';

/** Of a task: index, generation, term, counter, try, backup; which of the buffers its control words lie in, and where. */
const NUMBERS = 8;
/** Of a result: milliseconds, native peak, and the outcome's, of one that has no more. */
const RESULT = 2 + PLAIN;

/**
 * Attempts of one stage of a job on their way into a thread. What differs between them goes as numbers: a structured clone names every field of
 * every object again, and costs a short task more than its work. It also takes a number of a list by itself, of a typed array all bytes at once.
 */
export interface Crossing {
  readonly shared: Omit<TaskInput, Own>;
  readonly job: string;
  readonly step: number;
  readonly stage: TaskStage;
  /** {@link NUMBERS} for each. */
  readonly numbers: Float64Array;
  /** Of each; null where none reads anything. */
  readonly inputs: readonly TaskInput['inputs'][] | null;
  /** What the control words of all lie in. A view for each would cost more to send than all else. */
  readonly controls: readonly SharedArrayBuffer[];
  /** For the finalizing task, which crosses alone. */
  readonly commits: readonly Commit[] | null;
}

/** What comes back. */
export interface Returning {
  /** {@link RESULT} for each. */
  readonly numbers: Float64Array;
  /** Outcomes that are more than numbers, in JSON by their place; null where there are none. */
  readonly others: Readonly<Record<number, string>> | null;
}

/** @param inputs one, or several of one stage of a step of which none finalizes */
export function packInputs(inputs: readonly TaskInput[]): Crossing {
  const { assignment: first, inputs: _, commits, control: __, ...shared } = inputs[0]!;
  const controls: SharedArrayBuffer[] = [];
  const numbers: number[] = [];
  for (const { assignment, control } of inputs) {
    const words = control.buffer as unknown as SharedArrayBuffer;
    let buffer = controls.lastIndexOf(words);
    if (buffer < 0) buffer = controls.push(words) - 1;
    const { task, generation, epoch, try: tries, backup } = assignment;
    numbers.push(task.index, generation, epoch.term, epoch.counter, tries, backup ? 1 : 0, buffer, control.byteOffset);
  }
  const read = inputs.some((each) => each.inputs.length > 0) ? inputs.map((each) => each.inputs) : null;
  const { step, stage } = first.task;
  return { shared, job: first.job, step, stage, numbers: Float64Array.from(numbers), inputs: read, controls, commits };
}

export function unpackInputs({ shared, job, step, stage, numbers, inputs, controls, commits }: Crossing): TaskInput[] {
  const { spec, runnerUrl, codePath, dataDir, worker, host, dataEndpoint } = shared;
  const all: TaskInput[] = [];
  for (let i = 0, at = 0; at < numbers.length; i++, at += NUMBERS) {
    const task = { step, stage, index: numbers[at]! };
    const generation = numbers[at + 1]!;
    const epoch = { term: numbers[at + 2]!, counter: numbers[at + 3]! };
    const attempt = attemptName(task, generation, epoch);
    const assignment = { job, task, generation, attempt, epoch, try: numbers[at + 4]!, backup: numbers[at + 5] === 1 };
    const control = new Int32Array(controls[numbers[at + 6]!]!, numbers[at + 7]!, CONTROL_WORDS);
    const own = inputs === null ? NOTHING : inputs[i]!;
    all.push({ spec, assignment, runnerUrl, codePath, dataDir, worker, host, dataEndpoint, inputs: own, commits, control });
  }
  return all;
}

const NOTHING: TaskInput['inputs'] = [];

export function packResults(results: readonly TaskResult[]): Returning {
  const numbers: number[] = [];
  let others: Record<number, string> | null = null;
  for (const [i, { outcome, milliseconds, nativePeakBytes }] of results.entries()) {
    numbers.push(milliseconds, nativePeakBytes);
    if (isPlain(outcome)) pushPlain(numbers, outcome);
    else {
      for (let k = 0; k < PLAIN; k++) numbers.push(0);
      others ??= {};
      others[i] = JSON.stringify(packOutcome(outcome));
    }
  }
  return { numbers: Float64Array.from(numbers), others };
}

export function unpackResults({ numbers, others }: Returning): TaskResult[] {
  const results: TaskResult[] = [];
  for (let i = 0, at = 0; at < numbers.length; i++, at += RESULT) {
    const other = others?.[i];
    const outcome = other === undefined ? plainAt(numbers, at + 2) : (unpackOutcome(JSON.parse(other)) as Outcome);
    results.push({ outcome, milliseconds: numbers[at]!, nativePeakBytes: numbers[at + 1]! });
  }
  return results;
}
