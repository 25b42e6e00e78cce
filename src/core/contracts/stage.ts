import type { Counters, TaskFiles } from './context.js';
import type { RawRecord } from './record.js';

/**
 * What user code and runners see of the attempt they are in.
 */
export interface TaskContext {
  readonly job: string;
  readonly jobName: string;
  /** Name of the step this task belongs to. */
  readonly step: string;
  readonly stage: 'map' | 'combine' | 'reduce' | 'finalize';
  readonly index: number;
  readonly attempt: string;
  readonly params: Readonly<Record<string, string>>;
  readonly counters: Counters;
  readonly files: TaskFiles;
  /** A directory of this attempt alone, removed afterwards. */
  readonly scratchDir: string;
  /** Bytes this task may hold beside its sort buffer. */
  readonly memoryBytes: number;
  /** The words that native loops poll: hand it to every native call that takes a control. */
  readonly control: Int32Array;
  /** All records of a step that this one is given, in their order, as bytes. @throws DafError ERR_DAF_BAD_ARGUMENT for any other step */
  given(step: string): AsyncIterable<RawRecord>;
  /** Throws ERR_DAF_CANCELLED once the attempt is cancelled. */
  checkCancelled(): void;
  /** Tells the coordinator how far this attempt is; 0…1. */
  progress(fraction: number): void;
  /** Lists an input that could not be used, and goes on; `refused: false` lists a warning. */
  refuse(input: string, error: unknown, options?: { readonly refused?: boolean }): void;
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Takes one record. Strings are written as UTF-8; bytes are copied before the call returns. */
export type Emit = (key: string | Uint8Array, value: string | Uint8Array) => void;

/** A record as map receives it. Its bytes are borrowed until map returns (or its promise settles). */
export interface MapRecord extends RawRecord {
  /** Name of the input file as typed; for in-memory input `memory`. */
  readonly source: string;
  /** Byte offset of the record in its file. */
  readonly offset: number;
  /** What a line of JSON input holds; undefined for other inputs. */
  readonly json?: unknown;
}

/** Where a record stands among all that its step maps: by split, within it by position. Total order breaks ties by it. */
export interface Place {
  split: number;
  at: number;
}

/** Where the records of a stage go. */
export interface RecordSink {
  readonly emit: Emit;
  /** Null unless records are ordered totally: then whoever emits or hands on a batch says the place of the record being mapped here first. */
  readonly place: Place | null;
  /**
   * Takes packed records (contracts/record.ts), as many as the bytes hold; for runners whose code emits batches. Values may come in pieces,
   * flagged as core/addon/records.ts says; groups are not marked. The bytes are copied before the call returns.
   * @param partitions the reducer of every record, from code that partitions natively. Null or absent: the runner's `partition`, or the hash.
   * @param positions where every record stands in the split of `place`, which it has to say unless that is null
   */
  batch(packed: Uint8Array, partitions?: Uint32Array | null, positions?: Float64Array): void;
}

/**
 * Runs the stages of one kind of code inside a task thread. A runner module exports
 * `createRunner(codePath: string, spec: JobSpec, step: number): Promise<StageRunner>`; one instance serves many tasks of one step, one at
 * a time.
 */
export interface StageRunner {
  /** Feeds every record of the split to user code; what it emits goes to `sink`. */
  map(input: MapInput, sink: RecordSink, context: TaskContext): Promise<MapTotals>;
  /** Key's values → fewer values under the same key. Present when the job has a combiner. */
  combine?(groups: GroupStream, sink: RecordSink, context: TaskContext): void;
  /** True: what map emits is gathered by key, and combined, before it is sorted. For a runner that does no such thing itself. */
  readonly gather?: boolean;
  reduce?(groups: GroupStream, sink: RecordSink, context: TaskContext): Promise<void>;
  finalize?(context: FinalizeContext): Promise<void>;
  /** The reducer of a key, 0 … reducers − 1. Absent: the stable hash of the key. */
  partition?(key: Uint8Array, reducers: number): number;
  dispose?(): Promise<void>;
}

export interface MapTotals {
  readonly recordsIn: number;
}

/** The records of a split, streamed in the order of its pieces. */
export interface MapInput {
  /** A block and all that it points to is borrowed until the next one is asked for. */
  blocks(): AsyncIterable<RecordBlock>;
}

/** Consecutive records of one source. Records come in blocks so that none costs a promise or an object of its own. */
export interface RecordBlock {
  /** Name of the input file as typed; for in-memory input `memory`. */
  readonly source: string;
  /** What keys and values are cut from. */
  readonly data: Buffer;
  readonly count: number;
  /** (offset, length) in `data` of every record's value. At least 2 × count long. */
  readonly values: Uint32Array;
  /** (offset, length) in `data` of every record's key; null where `key` is the key of all. */
  readonly keys: Uint32Array | null;
  readonly key: Uint8Array;
  /** Byte offset of data[0] in the source. A record's own offset is that of its value (packed records: of its header). */
  readonly offset: number;
  /** The place of data[0]: split, and position in it. A record's own position is further on by as much as its offset is. */
  readonly split: number;
  readonly at: number;
}

/** Groups in key order; a group's values in (map index, emission) order. Bytes are borrowed until the next step. */
export interface GroupInput {
  /** Synchronous: the merge is native and reads ahead by itself. */
  groups(): Iterable<Group>;
  /** The same as text. Use one or the other. */
  texts(): Iterable<TextGroup>;
}

/** A GroupInput that can also be drained as flagged packed records, by runners that hand on batches. Use one or the other. */
export interface GroupStream extends GroupInput {
  /** Fills the buffer (≥ GROUP_BUFFER_BYTES of core/addon/records.ts); 0: the end. */
  fill(buffer: Uint8Array): number;
}

export interface Group {
  readonly key: Uint8Array;
  /** May be left before its end. One pass. */
  readonly values: Iterable<Uint8Array>;
}

export interface TextGroup {
  readonly key: string;
  /** May be left before its end. One pass. */
  readonly values: Iterable<string>;
}

/** Finalize runs once, after all reduces have committed and before publish. */
export interface FinalizeContext extends TaskContext {
  /** Committed outputs of the job so far, by final name, in name order. */
  readonly outputs: readonly CommittedOutput[];
  /** Bytes of a committed output. */
  read(name: string): Promise<Uint8Array>;
  readonly refusals: readonly import('./task.js').RefusedInput[];
  /** What every committed attempt used, in task order. */
  readonly usage: readonly { readonly task: string; readonly usage: import('./task.js').AttemptUsage }[];
}

export interface CommittedOutput {
  readonly name: string;
  readonly bytes: number;
  readonly records: number | null;
}
