import { addon, nativeFile, type PluginCall, type PluginHost, type PluginInfo } from '../../core/addon/index.js';
import { GROUP_BUFFER_BYTES, RecordBatch } from '../../core/addon/records.js';
import { DafError } from '../../core/contracts/errors.js';
import { isLines, type JobSpec } from '../../core/contracts/job.js';
import { PACKED_HEADER } from '../../core/contracts/record.js';
import type {
  GroupStream,
  MapInput,
  MapTotals,
  RecordBlock,
  RecordSink,
  StageRunner,
  TaskContext,
} from '../../core/contracts/stage.js';
import type { StepSpec } from '../../core/contracts/step.js';

/** Takes every block of the readers; a whole file or a record above it gets a host of its own size. */
const INPUT_BYTES = 2 << 20;
const OUTPUT_BYTES = 2 << 20;
const OUTPUT_RECORDS = 64 << 10;
/** Of the memory of a task: what this side and the shared memory hold beside the input; and what a child needs to start. */
const OWN_BYTES = 8 << 20;
const LEAST_CHILD_BYTES = 16 << 20;
/** Of what the child may allocate: with it there is room beside the longest input that a task takes, and more would gain little. */
const FOLD_PART = 1 / 3;
const MOST_FOLD_BYTES = 32 << 20;
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
/** A plugin that neither emits nor ends for so long hangs. `--param daf.pluginTimeoutMs=N` changes it; 0: never. */
const SILENCE_MS = 600_000;

/** Runs a native plugin (native/abi/daf_plugin.h): in a daf-host child, or in this thread when the job trusts it. */
export async function createRunner(codePath: string, spec: JobSpec, step: number): Promise<StageRunner> {
  return new PluginRunner(codePath, spec, spec.steps[step]!);
}

class PluginRunner implements StageRunner {
  readonly #path: string;
  readonly #spec: JobSpec;
  readonly #step: StepSpec;
  readonly #info: PluginInfo;
  #host: PluginHost | null;
  #inputBytes = INPUT_BYTES;
  /** Nothing of the task at hand was mapped by this host. */
  #begin = true;
  readonly #out = new Uint8Array(OUTPUT_BYTES);
  readonly #partitions = new Uint32Array(OUTPUT_RECORDS);
  #groupBuffer: Uint8Array | null = null;
  readonly combine?: (groups: GroupStream, sink: RecordSink, context: TaskContext) => void;
  readonly partition?: (key: Uint8Array, reducers: number) => number;

  constructor(path: string, spec: JobSpec, step: StepSpec) {
    this.#path = path;
    this.#spec = spec;
    this.#step = step;
    this.#host = this.#open();
    this.#info = this.#host.info;
    checkFit(this.#info, step);
    if (this.#info.hasCombine && step.reducers > 0)
      this.combine = (groups, sink, context) => this.#groups(true, groups, sink, context);
    if (this.#info.hasPartition && step.reducers > 0) {
      this.partition = () => {
        throw new DafError('ERR_DAF_INTERNAL', 'a plugin hands its reducers on with its records');
      };
    }
  }

  async map(input: MapInput, sink: RecordSink, context: TaskContext): Promise<MapTotals> {
    let recordsIn = 0;
    this.#begin = true;
    for await (const block of input.blocks()) {
      context.checkCancelled();
      if (block.keys === null) {
        recordsIn += this.#mapBytes(block, blockBytes(block, this.#step), sink, context);
      } else {
        // Packed input: whatever was between the records, the plugin gets them end to end, each of them whole.
        let most = this.#inputBytes;
        for (let i = 1; i < 2 * block.count; i += 2) most = Math.max(most, PACKED_HEADER + block.keys[i]! + block.values[i]!);
        const batch = new RecordBatch(most, (packed) => {
          recordsIn += this.#mapBytes(block, packed, sink, context);
        });
        for (let i = 0; i < block.count; i++) batch.add(span(block.data, block.keys, i), span(block.data, block.values, i));
        batch.flush();
      }
    }
    this.#endMap(sink, context);
    return { recordsIn };
  }

  async reduce(groups: GroupStream, sink: RecordSink, context: TaskContext): Promise<void> {
    this.#groups(false, groups, sink, context);
  }

  async dispose(): Promise<void> {
    this.#close();
  }

  #mapBytes(block: RecordBlock, data: Uint8Array, sink: RecordSink, context: TaskContext): number {
    if (data.length > this.#inputBytes) {
      this.#endMap(sink, context);
      this.#begin = true;
      this.#enlarge(data.length, context);
    }
    const { input, reducers } = this.#step;
    const begin = this.#begin;
    this.#begin = false;
    return this.#guard(context, (host) =>
      host.map({
        ...this.#call(sink, context),
        source: block.source,
        offset: block.offset,
        cut: input.kind === 'json' ? 'lines' : input.kind,
        recordBytes: input.kind === 'fixed' ? input.bytes : 0,
        data,
        reducers,
        foldBytes: this.#foldBytes,
        begin,
      }),
    );
  }

  /** Takes what the plugin holds of this task. */
  #endMap(sink: RecordSink, context: TaskContext): void {
    if (this.#begin || this.#foldBytes === 0) return;
    const { reducers } = this.#step;
    this.#guard(context, (host) => {
      host.endMap({ ...this.#call(sink, context), reducers, foldBytes: this.#foldBytes });
      return 0;
    });
  }

  get #foldBytes(): number {
    if (this.combine === undefined) return 0;
    return Math.min(MOST_FOLD_BYTES, Math.floor(this.#childBytes * FOLD_PART));
  }

  /** What the plugin may allocate: the same on every worker, and so is where it folds. */
  get #childBytes(): number {
    return Math.max(LEAST_CHILD_BYTES, this.#step.memory.task - INPUT_BYTES - OWN_BYTES);
  }

  #groups(combine: boolean, groups: GroupStream, sink: RecordSink, context: TaskContext): void {
    this.#groupBuffer ??= new Uint8Array(GROUP_BUFFER_BYTES);
    const buffer = this.#groupBuffer;
    this.#guard(context, (host) =>
      host.groups({ ...this.#call(sink, context), combine, in: buffer, fill: () => groups.fill(buffer) }),
    );
  }

  #call(sink: RecordSink, context: TaskContext): PluginCall {
    return {
      task: context.index,
      out: this.#out,
      partitions: this.#partitions,
      emit: (bytes, partitioned) => this.#emit(sink, bytes, partitioned),
      log: (level, message) => context.log(LEVELS[level] ?? 'info', message, { plugin: this.#info.name }),
      control: context.control,
    };
  }

  #emit(sink: RecordSink, bytes: number, partitioned: number): void {
    // A full sort buffer combines from inside sink.batch, and the combine emits through the same arrays.
    const nests = this.combine !== undefined;
    const packed = nests ? this.#out.slice(0, bytes) : this.#out.subarray(0, bytes);
    if (partitioned === 0) sink.batch(packed);
    else sink.batch(packed, nests ? this.#partitions.slice(0, partitioned) : this.#partitions.subarray(0, partitioned));
  }

  /** After an error the child is gone: the next attempt gets a fresh one. */
  #guard(context: TaskContext, run: (host: PluginHost) => number): number {
    this.#host ??= this.#open();
    const host = this.#host;
    try {
      const records = run(host);
      for (const [name, amount] of host.takeCounters()) context.counters.add(name, amount);
      return records;
    } catch (error) {
      this.#close();
      const known = DafError.from(error);
      if (known.code !== 'ERR_DAF_PLUGIN') throw error;
      throw new DafError(known.code, known.message, { hint: known.hint, retryable: true, cause: error });
    }
  }

  #enlarge(bytes: number, context: TaskContext): void {
    if (bytes * 2 > context.memoryBytes) {
      throw new DafError(
        'ERR_DAF_MEMORY_LIMIT',
        `an input of ${bytes} bytes needs twice that of the task's ${context.memoryBytes}`,
        {
          hint: "raise the job's memory.task, and --memory with it",
        },
      );
    }
    this.#close();
    this.#inputBytes = bytes;
  }

  #open(): PluginHost {
    const { code, params } = this.#spec;
    const trusted = code.kind === 'plugin' && code.trusted;
    const timeout = Number(params['daf.pluginTimeoutMs'] ?? SILENCE_MS);
    if (!Number.isInteger(timeout) || timeout < 0) {
      throw new DafError(
        'ERR_DAF_BAD_ARGUMENT',
        `daf.pluginTimeoutMs is ${params['daf.pluginTimeoutMs']}; expected milliseconds`,
      );
    }
    return new (addon().PluginHost)({
      host: trusted ? '' : nativeFile('daf-host'),
      plugin: this.#path,
      params,
      inputBytes: this.#inputBytes,
      memoryBytes: Math.max(LEAST_CHILD_BYTES, this.#step.memory.task - this.#inputBytes - OWN_BYTES),
      timeoutMs: timeout,
    });
  }

  #close(): void {
    this.#host?.dispose();
    this.#host = null;
  }
}

function checkFit(info: PluginInfo, step: StepSpec): void {
  if (step.reducers > 0 && !info.hasReduce) {
    throw new DafError('ERR_DAF_BAD_JOB', `plugin ${info.name} has no ReduceMain`, {
      hint: 'give it one, or make it a map-only job in the SDK',
    });
  }
  if ((info.input === 'files') !== (step.input.kind === 'files')) {
    const wants = info.input === 'files' ? 'whole files' : 'records';
    throw new DafError('ERR_DAF_BAD_JOB', `plugin ${info.name} maps ${wants}, but the input is ${step.input.kind}`);
  }
}

/** The bytes of a block's records, line ends included; what follows belongs to the next block. */
function blockBytes(block: RecordBlock, step: StepSpec): Uint8Array {
  const last = block.count - 1;
  let end = block.values[2 * last]! + block.values[2 * last + 1]!;
  if (isLines(step.input)) {
    if (block.data[end] === 13 && block.data[end + 1] === 10) end += 2;
    else if (block.data[end] === 10) end++;
  }
  return block.data.subarray(0, end);
}

function span(data: Uint8Array, spans: Uint32Array, i: number): Uint8Array {
  const at = spans[2 * i]!;
  return data.subarray(at, at + spans[2 * i + 1]!);
}
