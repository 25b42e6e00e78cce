import type { Coverage } from './coverage.js';
import type { WireError } from './errors.js';
import type { Generations } from './generations.js';
import type { Epoch, JobSpec, TaskId } from './job.js';
import type { TaskRange } from './step.js';

/** Coordinator → worker: run this attempt. */
export interface Assignment {
  readonly job: string;
  readonly task: TaskId;
  readonly generation: number;
  /** Unique within the job for ever: `<task>-g<generation>-a<term>.<counter>`, the latter two being the epoch. [A-Za-z0-9._-] */
  readonly attempt: string;
  readonly epoch: Epoch;
  /** Which try of this task it is, from 1. */
  readonly try: number;
  /** True for a copy of an attempt that still runs elsewhere. */
  readonly backup: boolean;
}

/** From this try on the attempts of a map look for records that kill them, in jobs that may go on without some. */
export const FIRST_SKIPPING_TRY = 3;

/** Where a worker holds an output. */
export interface HeldCopy {
  readonly worker: string;
  /** Identifies the machine: readers with the same host open `path` directly. */
  readonly host: string;
  readonly path: string;
  /** Where others fetch it; null when the worker serves nobody. */
  readonly endpoint: string | null;
}

/** What a committed task left for the tasks that read it: a map's segment file, or the records of a step for a later one. */
export interface HeldOutput {
  /** Of the task in its stage. */
  readonly index: number;
  readonly generation: number;
  /** The attempt that made it, by which holders know it. */
  readonly attempt: string;
  /** Who holds it: its maker first. None when it lies in the output store. */
  readonly copies: readonly HeldCopy[];
  /** In the output store, where it cannot be lost with a worker; null when workers hold it. */
  readonly key: string | null;
  readonly bytes: number;
  /** CRC-32C of the bytes; null for segment files, which check themselves block by block. */
  readonly crc32c: number | null;
  /** What a replay compares: `crc32c`; of a segment file the CRC-32C of its segments' lengths, counts and checksums. */
  readonly digest: number;
}

/** An output of another task as a task thread reads it: what was on another host has been fetched. */
export interface TaskSource extends Pick<HeldOutput, 'index' | 'generation' | 'crc32c'> {
  readonly place:
    | { readonly kind: 'file'; readonly path: string; readonly bytes: number }
    /** The fetched part of a file that holds several: of a segment file the segment that this task reads. */
    | {
        readonly kind: 'part';
        readonly path: string;
        readonly offset: number;
        readonly bytes: number;
        readonly fileBytes: number;
      }
    | { readonly kind: 'store'; readonly key: string; readonly bytes: number };
}

/** A file that an attempt wrote below its private prefix and that publishing gives its final name. */
export interface OutputFile {
  /** Final name within the output store, `/`-separated. */
  readonly name: string;
  /** Where the attempt wrote it. */
  readonly key: string;
  readonly bytes: number;
  /** For part files; null for files of other kinds. */
  readonly records: number | null;
  /** CRC-32C of the bytes. */
  readonly crc32c: number;
  /** Written to the manifest only by name: its bytes may differ between runs (report.json). */
  readonly volatile: boolean;
}

/** An input that the job could not use and went on without. */
export interface RefusedInput {
  readonly input: string;
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  /** False for a warning: the input was used all the same. */
  readonly refused: boolean;
}

/** What an attempt used, measured as DESIGN §4 says. Goes to report.json, never to the manifest. */
export interface AttemptUsage {
  readonly worker: string;
  readonly milliseconds: number;
  readonly reservedBytes: number;
  /** Peak of native arenas during the attempt. */
  readonly nativePeakBytes: number;
  /** Peak anonymous + shared memory of the worker process while the attempt ran. */
  readonly processPeakBytes: number;
}

/** Worker → coordinator: how an attempt ended. Sent again until it is answered committed or discarded. */
export interface Report {
  readonly job: string;
  readonly task: TaskId;
  readonly generation: number;
  readonly attempt: string;
  readonly epoch: Epoch;
  readonly outcome: Outcome;
  readonly usage: AttemptUsage;
}

export type Outcome =
  | {
      readonly kind: 'done';
      /** Null for a task that nobody reads: its results are `outputs`. */
      readonly held: HeldOutput | null;
      readonly outputs: readonly OutputFile[];
      readonly counters: Readonly<Record<string, number>>;
      /** Records handed to user code. */
      readonly recordsIn: number;
      /** Records that were not, because they had killed earlier attempts; listed in an output below `quarantine/`. */
      readonly skipped: number;
      /** What a map task read of the job's input; null for other tasks. */
      readonly intake: Intake | null;
      readonly recordsOut: number;
      readonly refused: readonly RefusedInput[];
      /** What was read, and in which generation; one for each of readsOf(). */
      readonly reads: readonly TaskRead[];
    }
  | {
      readonly kind: 'failed';
      readonly error: WireError;
      /** Outputs of other tasks that could not be read: those tasks have to run again. */
      readonly lost: readonly LostOutput[];
    };

export interface Intake {
  /** Records as they were cut, whatever became of them. */
  readonly records: number;
  /** The bytes they lie in, line ends included, and those of files that were refused. */
  readonly coverage: Coverage;
}

export interface TaskRead extends TaskRange {
  readonly generations: Generations;
}

export interface LostOutput {
  readonly task: TaskId;
  readonly generation: number;
}

/** What is kept of a committed task: enough to publish, to shuffle and to report. */
export interface Commit {
  readonly task: TaskId;
  readonly generation: number;
  readonly attempt: string;
  readonly epoch: Epoch;
  readonly outcome: Extract<Outcome, { kind: 'done' }>;
  readonly usage: AttemptUsage;
}

/** Everything a task thread needs to run an attempt; built by the worker's main thread. */
export interface TaskInput {
  readonly spec: JobSpec;
  readonly assignment: Assignment;
  /** Module that exports `createRunner`, see contracts/stage.ts. */
  readonly runnerUrl: string;
  /** Local file with the job's code. */
  readonly codePath: string;
  /** Worker's data directory for this job; map outputs, spills and scratch files go below it. */
  readonly dataDir: string;
  readonly worker: string;
  readonly host: string;
  /** Where this worker serves what it holds; null for nowhere. */
  readonly dataEndpoint: string | null;
  /** What the task reads of others: for each of readsOf() the outputs of its tasks, in order. */
  readonly inputs: readonly (readonly TaskSource[])[];
  /** Finalize: every commit of the job in task order; null for other tasks. */
  readonly commits: readonly Commit[] | null;
  /** Int32Array[4] over shared memory: cancel, done, total (native/base/control.h), begun. */
  readonly control: Int32Array;
}
