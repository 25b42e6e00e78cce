import type { InputFormat, OutputFormat } from './job.js';
import type { Emit, FinalizeContext, GroupStream, MapRecord, RecordBlock, RecordSink, TaskContext } from './stage.js';

export type Params = Readonly<Record<string, string>>;

/** The code of one step. Keys and values are bytes; the `text` form of a job gets and gives strings instead. */
export interface StepCode<Text extends boolean = boolean> {
  map?(record: MapArgument<Text>, emit: Emit, context: TaskContext): void | Promise<void>;
  /** Instead of map: whole blocks of records at once, for work that is per byte and not per record. */
  mapBlocks?(block: RecordBlock, sink: RecordSink, context: TaskContext): void | Promise<void>;
  /** Runs 0…n times on a key's values; emits under the same key; reduce is correct without it. */
  combine?(key: Bytes<Text>, values: Iterable<Bytes<Text>>, emit: Emit, context: TaskContext): void;
  /** Absent: map's records are the output. */
  reduce?(key: Bytes<Text>, values: Iterable<Bytes<Text>>, emit: Emit, context: TaskContext): void | Promise<void>;
  /** Instead of reduce: all groups of the partition as a stream. */
  reduceGroups?(groups: GroupStream, sink: RecordSink, context: TaskContext): void | Promise<void>;
  /** Default: crc-based stable hash of the key modulo reducers. Must be a pure function. */
  partition?(key: Uint8Array, reducers: number): number;
  /**
   * `total`: the parts, one after the other, are sorted by key; equal keys keep the order of the input, also across parts. A step that
   * samples the keys is put before this one.
   */
  readonly order?: 'total';
  /** Keys that agree in this many first bytes are reduced together, values in the order of whole keys (secondary sort). Default: whole keys. */
  readonly groupPrefix?: number;
  /** Bytes a task needs, see TaskMemory. */
  readonly memory?: { readonly sortBuffer?: number; readonly task?: number };
}

/** A step of a job that has several. */
export interface StepDefinition<Text extends boolean = boolean> extends StepCode<Text> {
  /** [A-Za-z0-9._-], ≤ 64 characters. */
  readonly name: string;
  /** Earlier steps whose records this one maps, key and value as they were emitted. Default: the job's input. */
  readonly from?: readonly string[];
  /** Earlier steps all of whose records every task finds in `context.given(name)`: small ones. */
  readonly given?: readonly string[];
  /** Default: as many as the job is submitted with. */
  readonly reducers?: number;
}

/** What a job module exports by default, made by `defineJob`: the code of its one step, or `steps`. */
export interface JobDefinition<Text extends boolean = boolean> extends StepCode<Text> {
  /** Shown in progress, logs and the manifest. [A-Za-z0-9._-], ≤ 64 characters. */
  readonly name: string;
  /** `import.meta.url` of the module that exports this job; without it the functions must capture nothing. */
  readonly module?: string | undefined;
  /** True: map and reduce get UTF-8 strings. Default: true. */
  readonly text?: Text;
  /**
   * Refuses parameters that the job cannot run with, by throwing; called in the client, at submit, before anything of the job is made.
   * Whatever it throws is what the submitter gets.
   */
  check?(params: Params): void | Promise<void>;
  /** How inputs become records. Default: lines. In-memory input is always one record an item. */
  readonly input?: InputFormat | ((params: Params) => InputFormat);
  /** Form of the part files. */
  readonly output?: OutputFormat | ((params: Params) => OutputFormat);
  /**
   * What to do, worked out from the named inputs in the client, at submit, for a job whose work is not the bytes of its inputs (frames of a
   * picture, scenes in folders). Every record given is one map task. Absent: the inputs are read as `input` says. In-memory input is
   * never planned.
   * @param inputs patterns are expanded to files; a folder stays a folder
   */
  plan?(inputs: readonly PlanInput[], params: Params): Iterable<PlannedRecord> | AsyncIterable<PlannedRecord>;
  /** In an order in which each reads earlier ones only; the last one's records are the job's. */
  readonly steps?: readonly StepDefinition<Text>[];
  /** Once, after all tasks have committed and before publish. */
  finalize?(context: FinalizeContext): void | Promise<void>;
  /** Packages that stay outside the bundle beside `daf` and native ones; resolved from the worker's own install. */
  readonly external?: readonly string[];
  /** False when the same input may give other bytes. Default: true. */
  readonly deterministic?: boolean;
  /** False when a task must not run twice at a time, because it changes something outside; then slow ones get no backups. Default: true. */
  readonly idempotent?: boolean;
}

export interface PlanInput {
  /** As typed. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

export interface PlannedRecord {
  readonly key: string | Uint8Array;
  readonly value: string | Uint8Array;
}

export type Bytes<Text extends boolean> = Text extends true ? string : Uint8Array;
/** Text jobs: the line (or item) itself with where it came from; byte jobs: the raw record. */
export type MapArgument<Text extends boolean> = Text extends true
  ? {
      readonly key: string;
      readonly value: string;
      readonly source: string;
      readonly offset: number;
      /** What a line of JSON input holds; undefined for other inputs. */
      readonly json?: unknown;
    }
  : MapRecord;
