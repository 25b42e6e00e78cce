import { runLengths } from '../../core/contracts/generations.js';
import { readsOf } from '../../core/contracts/step.js';
import type { HeldOutput, Intake, Outcome, OutputFile, TaskInput, TaskRead } from '../../core/contracts/task.js';

/** What a stage's own code knows of its end; counters and refusals are the context's. */
export interface StageResult {
  readonly held: HeldOutput | null;
  readonly outputs: readonly OutputFile[];
  readonly recordsIn: number;
  readonly skipped: number;
  readonly intake: Intake | null;
  readonly recordsOut: number;
  readonly reads: readonly TaskRead[];
}

/** What a task thread answers for an attempt. */
export interface TaskResult {
  readonly outcome: Outcome;
  readonly milliseconds: number;
  readonly nativePeakBytes: number;
}

/** The generations of all that a task was given to read. */
export function readGenerations({ spec, assignment, inputs }: TaskInput): TaskRead[] {
  if (inputs.length === 0) return [];
  return readsOf(spec, assignment.task).map((range, i) => ({
    ...range,
    generations: runLengths(inputs[i]!.map(({ generation }) => generation)),
  }));
}
