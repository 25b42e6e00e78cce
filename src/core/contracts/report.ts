import type { AttemptUsage, OutputFile, RefusedInput, TaskRead } from './task.js';

/** A committed task in report.json. Where a part of it is absent, it is empty. */
export interface TaskReport extends TaskOutcomeReport, AttemptUsage {
  readonly task: string;
  readonly attempt: string;
  readonly generation: number;
  readonly failures: number;
  readonly failedOn: readonly string[];
  readonly recordsIn: number;
  readonly recordsOut: number;
}

/** What a task left: enough to tell whether another run of it leaves the same. */
export interface TaskOutcomeReport {
  /** Of what it held for other tasks. */
  readonly held?: { readonly bytes: number; readonly digest: number };
  readonly outputs?: readonly Omit<OutputFile, 'key'>[];
  readonly counters?: Readonly<Record<string, number>>;
  readonly refused?: readonly RefusedInput[];
  readonly skipped?: number;
  /** Absent where everything was read in its first generation. */
  readonly reads?: readonly TaskRead[];
}
