import type { Assignment, Commit, TaskInput, TaskSource } from '../../core/contracts/task.js';
import type { TaskResult } from './task-result.js';

type Own = 'assignment' | 'inputs' | 'commits' | 'control';

/**
 * Attempts of one job on their way into a thread. What differs between them goes as text: a structured clone names every field of every
 * object again, and costs a short task more than its work.
 */
export interface Crossing {
  readonly shared: Omit<TaskInput, Own>;
  /** JSON of a [assignment, inputs] for each. */
  readonly tasks: string;
  readonly controls: readonly Int32Array[];
  /** For the finalizing task, which crosses alone. */
  readonly commits: readonly Commit[] | null;
}

/** @param inputs one, or several of one job of which none finalizes */
export function packInputs(inputs: readonly TaskInput[]): Crossing {
  const { assignment: _, inputs: __, commits, control: ___, ...shared } = inputs[0]!;
  return {
    shared,
    tasks: JSON.stringify(inputs.map((each) => [each.assignment, each.inputs])),
    controls: inputs.map(({ control }) => control),
    commits,
  };
}

export function unpackInputs({ shared, tasks, controls, commits }: Crossing): TaskInput[] {
  const own = JSON.parse(tasks) as [Assignment, TaskSource[][]][];
  return own.map(([assignment, inputs], i) => ({ ...shared, assignment, inputs, commits, control: controls[i]! }));
}

export function packResults(results: readonly TaskResult[]): string {
  return JSON.stringify(results);
}

export function unpackResults(packed: string): TaskResult[] {
  return JSON.parse(packed) as TaskResult[];
}
