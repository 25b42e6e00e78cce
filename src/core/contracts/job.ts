import type { Coverage } from './coverage.js';
import type { StepSpec } from './step.js';

/**
 * Terminology (the same in code, command line, documents and logs)
 *
 * job        user code over an input, run once; ends with a manifest
 * step       one map and reduce of a job; most jobs have one, others a graph of them
 * stage      map, combine or reduce (and a job's optional finalize)
 * split      a piece of the input: what one map task reads
 * record     key bytes and value bytes
 * task       one split to map, one partition to reduce, or the finalize; has a generation
 * attempt    one execution of a task
 * lease      the right to run an attempt, with an epoch that is never reused
 * partition  all records of one reducer
 * run        a sorted spill; a segment is a map output's part for one partition
 * manifest   the committed outputs of a job; readers trust only it
 */

/** The code of a job, addressed by content; the bytes lie in the job's output store under {@link codeKey}. */
export type StageCode =
  /** One ESM file whose default export is a {@link JobDefinition}. */
  | { readonly kind: 'module'; readonly sha256: string }
  /** A native plugin (native/abi/daf_plugin.h). Untrusted plugins run in a child process. */
  | { readonly kind: 'plugin'; readonly sha256: string; readonly trusted: boolean };

/** How splits become records for map. */
export type InputFormat =
  /** One record a line (LF or CRLF, terminator removed); key: empty; value: the line. */
  | { readonly kind: 'lines' }
  /** One record a line, as above, that holds a JSON value: map finds it parsed as well. */
  | { readonly kind: 'json' }
  /** One record a file; key: its name as typed; value: its bytes. */
  | { readonly kind: 'files' }
  /** Fixed-size records; key: empty; value: `bytes` bytes. */
  | { readonly kind: 'fixed'; readonly bytes: number }
  /** Records given in memory at submit (or by another job), as packed records; see contracts/record.ts. */
  | { readonly kind: 'packed' };

/** True where a record is a line. */
export function isLines({ kind }: InputFormat): boolean {
  return kind === 'lines' || kind === 'json';
}

/** How the records that reduce (or a map-only job's map) emits become part files. */
export type OutputFormat =
  /** key, separator, value, newline. */
  | { readonly kind: 'text'; readonly separator: string }
  /** JSON lines: each value, which must be a JSON text, on a line of its own; keys only order them. */
  | { readonly kind: 'json' }
  /** Packed records, as in contracts/record.ts. */
  | { readonly kind: 'packed' }
  /** Values end to end, nothing between them. */
  | { readonly kind: 'raw' }
  /** Keys and values end to end: records that map had cut into key and value. */
  | { readonly kind: 'joined' };

/** A run of bytes of one input file. Its place among all records is `(split, at)`, see {@link Place}. */
export interface SplitPiece {
  /** The name as the user typed it: a document's identity. */
  readonly name: string;
  /** Absolute path, or a key of the job's output store when `stored`. */
  readonly path: string;
  readonly stored: boolean;
  readonly offset: number;
  readonly length: number;
  /** Length of the whole file when the split was made; another length later is ERR_DAF_INPUT_CHANGED. */
  readonly fileLength: number;
  /** What changes with the bytes of the job's input: a file's time of modification, an object's ETag; null for what nobody changes, or where nothing tells. */
  readonly version: string | null;
  /** gzip: a whole file whose lines are read from what it unpacks to. zstd: the same of whole frames of a file. */
  readonly compression: 'gzip' | 'zstd' | null;
  /** Where what a packed piece unpacks to begins in what its file unpacks to; 0 where the file does not tell. */
  readonly unpackedOffset: number;
  /** Bytes that it unpacks to, as its file says; null where that says nothing. */
  readonly unpackedLength: number | null;
  /** The split of the job's input that these bytes belong to, whichever split lists them now: samples are read beside it. */
  readonly split: number;
  /** Bytes of that split before this piece. */
  readonly at: number;
}

export interface Split {
  readonly index: number;
  readonly pieces: readonly SplitPiece[];
}

/**
 * Everything a coordinator and a worker must know about a job; checked, complete and frozen. It stays under 64 KB:
 * code, splits and in-memory inputs lie in the output store and are named here.
 */
export interface JobSpec {
  /** Made by the client; submitting the same id twice is one job. [a-z0-9-], ≤ 64 characters. */
  readonly id: string;
  readonly name: string;
  readonly code: StageCode;
  /** The output store, a BlobStore URL (`file:///…`). */
  readonly output: string;
  /** At least one, at most {@link MAX_STEPS}, each after those it reads. */
  readonly steps: readonly StepSpec[];
  readonly hasFinalize: boolean;
  /** False when two runs of an attempt may differ: a new generation then re-opens the tasks that read the old one. */
  readonly deterministic: boolean;
  /** The bytes of the input, as they were cut into splits. */
  readonly input: Coverage;
  /** Of the last step's parts. */
  readonly format: OutputFormat;
  readonly params: Readonly<Record<string, string>>;
  readonly maxAttempts: number;
  /** Workers that hold what a task leaves for others; 1: its maker alone. */
  readonly replicas: number;
  /** Where tasks leave what others read: with workers, or in the output store, where the loss of workers costs nothing. */
  readonly intermediate: Intermediate;
  /** True: attempts that are slow get a second one beside them; both may run to their end. */
  readonly backups: boolean;
  /** An attempt that runs longer has failed, ms; null: no limit. */
  readonly taskTimeoutMs: number | null;
  /** Records that the job may go on without, because they kill the task that maps them. */
  readonly maxSkipped: number;
  /** Higher runs first. */
  readonly priority: number;
  /** Recorded so that a replay can force it. */
  readonly isa: string;
}

/** What one task thread of this job needs. Reserved before a task starts, with what its merges and fetches take (taskPlan of step.ts). Bytes. */
export interface TaskMemory {
  /** The native sort buffer of a map task: spill points depend on this alone. */
  readonly sortBuffer: number;
  /** What user code holds at once, a plugin's child included: records, models, native arenas. */
  readonly task: number;
}

export const MAX_REPLICAS = 8;

export const INTERMEDIATES = ['workers', 'blob'] as const;
export type Intermediate = (typeof INTERMEDIATES)[number];

export type JobPhase = 'running' | 'publishing' | 'done' | 'failed' | 'cancelled';

export type TaskStage = 'map' | 'reduce' | 'finalize';

/** A task's name within its job: `map-3`, `reduce-0`, `finalize-0`; of later steps `s1-map-3`. */
export interface TaskId {
  /** Index in the job's steps; finalize belongs to the last. */
  readonly step: number;
  readonly stage: TaskStage;
  readonly index: number;
}

export function taskName({ step, stage, index }: TaskId): string {
  return step === 0 ? `${stage}-${index}` : `s${step}-${stage}-${index}`;
}

export type TaskState = 'idle' | 'running' | 'committed' | 'failed' | 'cancelled';

/** Never reused: a coordinator's term (one per start) and a counter within it. */
export interface Epoch {
  readonly term: number;
  readonly counter: number;
}

/** Of an attempt; unique within its job for ever. */
export function attemptName(task: TaskId, generation: number, { term, counter }: Epoch): string {
  const slot = counter & (RECENT - 1);
  const known = recent[slot];
  if (
    known !== undefined &&
    known.counter === counter &&
    known.index === task.index &&
    known.term === term &&
    known.generation === generation &&
    known.step === task.step &&
    known.stage === task.stage
  )
    return known.name;
  if (generation !== lastGeneration || term !== lastTerm) {
    lastGeneration = generation;
    lastTerm = term;
    lastMiddle = `-g${generation}-a${term}.`;
  }
  const name = taskName(task) + lastMiddle + counter;
  recent[slot] = { step: task.step, stage: task.stage, index: task.index, generation, term, counter, name };
  return name;
}

/**
 * Names made last. An attempt is called by its name several times on each of its stations, and a short task costs less than putting the
 * name together each time; one text for all of them is compared at a glance, too.
 */
const RECENT = 2048;
const recent: (
  | (TaskId & { readonly generation: number; readonly term: number; readonly counter: number; readonly name: string })
  | undefined
)[] = new Array(RECENT).fill(undefined);
/** Of names made one after the other mostly the same. */
let lastMiddle = '';
let lastGeneration = -1;
let lastTerm = -1;

/** What a client sees of a job while it runs. */
export interface JobStatus {
  readonly id: string;
  readonly name: string;
  readonly phase: JobPhase;
  readonly output: string;
  /** Over all steps, as reduce. */
  readonly map: StageProgress;
  readonly reduce: StageProgress;
  readonly finalize: StageProgress;
  /** In name order, 4096 at most; the manifest has all. */
  readonly counters: Readonly<Record<string, number>>;
  readonly refused: number;
  readonly failedAttempts: number;
  readonly workers: number;
  /** Milliseconds since the coordinator accepted the job (its own clock). */
  readonly elapsedMs: number;
  readonly error: import('./errors.js').WireError | null;
  /** What it waits for, all of it or some of its tasks, that others have to see to (ERR_DAF_NO_ROOM); null while it goes on by itself. */
  readonly waiting: import('./errors.js').WireError | null;
}

export interface StageProgress {
  readonly total: number;
  readonly running: number;
  readonly committed: number;
  /** Committed plus the fractions that running attempts report; 0…total. */
  readonly progress: number;
}

// Keys within the output store. An attempt writes only below attemptPrefix().
export const JOBS = '_daf/';
export const jobPrefix = (job: string): string => `${JOBS}${job}/`;
export const specKey = (job: string): string => `_daf/${job}/job.json`;
export const codeKey = (job: string, code: StageCode): string =>
  `_daf/${job}/code/${code.sha256}.${code.kind === 'module' ? 'mjs' : 'so'}`;
/** A sequence of msgpack-encoded Splits as lists (core/compact.ts), concatenated; steps that read the job's input name their range of them. */
export const splitsKey = (job: string): string => `_daf/${job}/splits.bin`;
/** Little-endian uint64 offsets into splits.bin: one more than there are splits. */
export const splitsIndexKey = (job: string): string => `_daf/${job}/splits.idx`;
/** In-memory input, as packed records. */
export const inputKey = (job: string, n: number): string => `_daf/${job}/input/${n}.rec`;
export const attemptPrefix = (job: string, task: TaskId, attempt: string): string => `_daf/${job}/${taskName(task)}/${attempt}/`;
/** What a replay needs and publishing keeps: spec, code, splits and a small in-memory input, named as below {@link jobPrefix}. */
export const REPLAYS = '_replay/';
export const replayPrefix = (job: string): string => `${REPLAYS}${job}/`;
/** A map's segment file, where the job lays it into the output store. */
export const SEGMENTS = 'segments';
export const MANIFEST = 'manifest.json';
export const REPORT = 'report.json';
export const partName = (reducer: number): string => `part-r-${String(reducer).padStart(5, '0')}`;
export const mapPartName = (split: number): string => `part-m-${String(split).padStart(5, '0')}`;
