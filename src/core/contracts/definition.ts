import type { InputFormat, OutputFormat } from './job.js';
import type { Emit, FinalizeContext, MapRecord, TaskContext } from './stage.js';

/**
 * What a job module exports by default, made by `defineJob`. Keys and values are bytes; the `text` form of a job gets and gives
 * strings instead.
 */
export interface JobDefinition<Text extends boolean = boolean> {
  /** Shown in progress, logs and the manifest. [A-Za-z0-9._-], ≤ 64 characters. */
  readonly name: string;
  /** `import.meta.url` of the module that exports this job; without it the functions must capture nothing. */
  readonly module?: string | undefined;
  /** True: map and reduce get UTF-8 strings. Default: true. */
  readonly text?: Text;
  /** How inputs become records. Default: lines. In-memory input is always one record an item. */
  readonly input?: InputFormat;
  readonly output?: OutputFormat;
  /**
   * What to do, worked out from the named inputs in the client, at submit, for a job whose work is not the bytes of its inputs (frames of a
   * picture, scenes in folders). Every record given is one map task. Absent: the inputs are read as `input` says. In-memory input is
   * never planned.
   * @param inputs patterns are expanded to files; a folder stays a folder
   */
  plan?(
    inputs: readonly PlanInput[],
    params: Readonly<Record<string, string>>,
  ): Iterable<PlannedRecord> | AsyncIterable<PlannedRecord>;
  map(record: MapArgument<Text>, emit: Emit, context: TaskContext): void | Promise<void>;
  /** Runs 0…n times on a key's values; emits under the same key; reduce is correct without it. */
  combine?(key: Bytes<Text>, values: Iterable<Bytes<Text>>, emit: Emit, context: TaskContext): void;
  /** Absent: the job is map-only. */
  reduce?(key: Bytes<Text>, values: Iterable<Bytes<Text>>, emit: Emit, context: TaskContext): void | Promise<void>;
  /** Once, after all reduces have committed and before publish. */
  finalize?(context: FinalizeContext): void | Promise<void>;
  /** Default: crc-based stable hash of the key modulo reducers. Must be a pure function. */
  partition?(key: Uint8Array, reducers: number): number;
  /** Packages that stay outside the bundle beside `daf` and native ones; resolved from the worker's own install. */
  readonly external?: readonly string[];
  /** False when the same input may give other bytes. Default: true. */
  readonly deterministic?: boolean;
  /** Bytes a task needs, see TaskMemory. */
  readonly memory?: { readonly sortBuffer?: number; readonly task?: number };
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
  ? { readonly key: string; readonly value: string; readonly source: string; readonly offset: number }
  : MapRecord;
