import { packAssignment, packOutcome, unpackAssignment, unpackOutcome } from '../../core/compact.js';
import type { Assignment, Commit, Outcome, TaskInput } from '../../core/contracts/task.js';
import { CONTROL_WORDS } from './control-words.js';
import type { TaskResult } from './task-result.js';

type Own = 'assignment' | 'inputs' | 'commits' | 'control';

/** The assignment as a list (core/compact.ts); which of the buffers its control words lie in, and where. */
type Packed = readonly [assignment: unknown, inputs: TaskInput['inputs'], buffer: number, offset: number];

/**
 * Attempts of one job on their way into a thread. What differs between them goes as text: a structured clone names every field of every
 * object again, and costs a short task more than its work.
 */
export interface Crossing {
  readonly shared: Omit<TaskInput, Own>;
  /** JSON of a {@link Packed} for each. */
  readonly tasks: string;
  /** What the control words of all lie in. A view for each would cost more to send than all else. */
  readonly controls: readonly SharedArrayBuffer[];
  /** For the finalizing task, which crosses alone. */
  readonly commits: readonly Commit[] | null;
}

/** @param inputs one, or several of one job of which none finalizes */
export function packInputs(inputs: readonly TaskInput[]): Crossing {
  const { assignment: _, inputs: __, commits, control: ___, ...shared } = inputs[0]!;
  const controls: SharedArrayBuffer[] = [];
  const tasks = inputs.map(({ assignment, inputs: own, control }): Packed => {
    const words = control.buffer as unknown as SharedArrayBuffer;
    let buffer = controls.lastIndexOf(words);
    if (buffer < 0) buffer = controls.push(words) - 1;
    return [packAssignment(assignment), own, buffer, control.byteOffset];
  });
  return { shared, tasks: JSON.stringify(tasks), controls, commits };
}

export function unpackInputs({ shared, tasks, controls, commits }: Crossing): TaskInput[] {
  const own = JSON.parse(tasks) as readonly Packed[];
  const { spec, runnerUrl, codePath, dataDir, worker, host, dataEndpoint } = shared;
  return own.map(([packed, inputs, buffer, offset]) => {
    const assignment = unpackAssignment(packed) as Assignment;
    const control = new Int32Array(controls[buffer]!, offset, CONTROL_WORDS);
    return { spec, assignment, runnerUrl, codePath, dataDir, worker, host, dataEndpoint, inputs, commits, control };
  });
}

export function packResults(results: readonly TaskResult[]): string {
  return JSON.stringify(
    results.map(({ outcome, milliseconds, nativePeakBytes }) => [packOutcome(outcome), milliseconds, nativePeakBytes]),
  );
}

export function unpackResults(packed: string): TaskResult[] {
  return (JSON.parse(packed) as [unknown, number, number][]).map(([outcome, milliseconds, nativePeakBytes]) => ({
    outcome: unpackOutcome(outcome) as Outcome,
    milliseconds,
    nativePeakBytes,
  }));
}
