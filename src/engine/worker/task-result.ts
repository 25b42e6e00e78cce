import type { MapOutput, Outcome, OutputFile } from '../../core/contracts/task.js';

/** What a stage's own code knows of its end; counters and refusals are the context's. */
export interface StageResult {
  readonly mapOutput: MapOutput | null;
  readonly outputs: readonly OutputFile[];
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly readGenerations: readonly (readonly [number, number])[];
}

/** What a task thread answers for an attempt. */
export interface TaskResult {
  readonly outcome: Outcome;
  readonly milliseconds: number;
  readonly nativePeakBytes: number;
}
