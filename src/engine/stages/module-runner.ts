import type { JobDefinition, MapArgument, StepCode } from '../../core/contracts/definition.js';
import { DafError } from '../../core/contracts/errors.js';
import type { JobSpec } from '../../core/contracts/job.js';
import type {
  Emit,
  FinalizeContext,
  Group,
  GroupStream,
  MapInput,
  MapTotals,
  RecordBlock,
  RecordSink,
  StageRunner,
  TaskContext,
  TextGroup,
} from '../../core/contracts/stage.js';
import type { StepSpec } from '../../core/contracts/step.js';
import { failpoint } from '../../core/failpoint.js';
import { decode } from '../../core/text.js';
import { loadJob } from '../jobs/load.js';
import { compileSteps } from '../jobs/steps.js';
import { sameKey } from './text.js';
import { chooseCuts, SampleSink } from './total-order.js';

/** Runs jobs written in JavaScript or TypeScript: a step of the bundle's default export. */
export async function createRunner(codePath: string, spec: JobSpec, step: number): Promise<StageRunner> {
  const job = await loadJob(codePath);
  const compiled = compileSteps(job)[step];
  if (compiled === undefined) throw new DafError('ERR_DAF_BAD_JOB', `${job.name} has no step ${step}`);
  const runner = new ModuleRunner(job, compiled.code, spec.steps[step]!);
  if (!compiled.samples) return runner;
  const parts = spec.steps.find(({ cuts }) => cuts === step)?.reducers ?? 1;
  return new SampleRunner(runner, parts);
}

/** Samples what another step's map emits, and chooses cut points for its parts. */
class SampleRunner implements StageRunner {
  readonly #runner: StageRunner;
  readonly #parts: number;

  constructor(runner: StageRunner, parts: number) {
    this.#runner = runner;
    this.#parts = parts;
  }

  async map(input: MapInput, sink: RecordSink, context: TaskContext): Promise<MapTotals> {
    const sample = new SampleSink();
    const totals = await this.#runner.map(input, sample, context);
    sample.finish(sink.emit);
    return totals;
  }

  async reduce(groups: GroupStream, sink: RecordSink): Promise<void> {
    chooseCuts(groups, this.#parts, sink.emit);
  }
}

class ModuleRunner implements StageRunner {
  readonly #job: JobDefinition;
  readonly #code: StepCode;
  readonly #text: boolean;
  readonly #json: boolean;
  readonly combine?: (groups: GroupStream, sink: RecordSink, context: TaskContext) => void;
  readonly gather: boolean;
  readonly partition?: (key: Uint8Array, reducers: number) => number;

  constructor(job: JobDefinition, code: StepCode, step: StepSpec) {
    this.#job = job;
    this.#code = code;
    this.#text = job.text !== false;
    this.#json = step.input.kind === 'json';
    this.gather = code.combine !== undefined;
    if (code.combine !== undefined) this.combine = (groups, sink, context) => this.#combine(groups, sink, context);
    const { partition } = code;
    if (partition !== undefined) this.partition = (key, reducers) => partition(key, reducers);
  }

  async map(input: MapInput, sink: RecordSink, context: TaskContext): Promise<MapTotals> {
    let recordsIn = 0;
    for await (const block of input.blocks()) {
      if (sink.place !== null) sink.place.split = block.split;
      if (this.#code.mapBlocks === undefined) await this.#mapRecords(block, sink, context);
      else await this.#mapBlock(block, sink, context);
      recordsIn += block.count;
    }
    return { recordsIn };
  }

  async #mapRecords(block: RecordBlock, { emit, place }: RecordSink, context: TaskContext): Promise<void> {
    for (let i = 0; i < block.count; i++) {
      context.checkCancelled();
      failpoint('task.map-record');
      const plain = this.#text ? textRecord(block, i) : byteRecord(block, i);
      const record = this.#json ? { ...plain, json: parseJson(plain) } : plain;
      if (place !== null) place.at = block.at + record.offset - block.offset;
      try {
        const pending = this.#code.map?.(record as MapArgument<boolean> as never, emit, context);
        // A promise for every record would cost more than most maps do: only those that return one are waited for.
        if (pending !== undefined) await pending;
      } catch (error) {
        throw userError(error, `map of ${record.source} at byte ${record.offset}`);
      }
    }
  }

  async #mapBlock(block: RecordBlock, sink: RecordSink, context: TaskContext): Promise<void> {
    context.checkCancelled();
    failpoint('task.map-record');
    try {
      await this.#code.mapBlocks?.(block, sink, context);
    } catch (error) {
      throw userError(error, `map of ${block.source} from byte ${block.offset} on`);
    }
  }

  #combine(groups: GroupStream, sink: RecordSink, context: TaskContext): void {
    let current: string | Uint8Array = '';
    const emit: Emit = (key, value) => {
      if (!sameKey(key, current)) {
        throw new DafError('ERR_DAF_USER_CODE', 'combine emitted another key than the one it was called with', {
          hint: 'a combiner turns the values of a key into fewer values of the same key',
        });
      }
      sink.emit(key, value);
    };
    for (const { key, values } of this.#groups(groups)) {
      current = key;
      try {
        this.#code.combine?.(key as never, values as never, emit, context);
      } catch (error) {
        throw userError(error, `combine of ${show(key)}`);
      }
    }
  }

  #groups(groups: GroupStream): Iterable<Group | TextGroup> {
    return this.#text ? groups.texts() : groups.groups();
  }

  async reduce(groups: GroupStream, sink: RecordSink, context: TaskContext): Promise<void> {
    if (this.#code.reduceGroups !== undefined) {
      try {
        await this.#code.reduceGroups(groups, sink, context);
      } catch (error) {
        throw userError(error, 'reduce');
      }
      return;
    }
    for (const { key, values } of this.#groups(groups)) {
      context.checkCancelled();
      failpoint('task.reduce-group');
      try {
        const pending = this.#code.reduce?.(key as never, values as never, sink.emit, context);
        if (pending !== undefined) await pending;
      } catch (error) {
        throw userError(error, `reduce of ${show(key)}`);
      }
    }
  }

  async finalize(context: FinalizeContext): Promise<void> {
    try {
      await this.#job.finalize?.(context);
    } catch (error) {
      throw userError(error, 'finalize');
    }
  }
}

function textRecord(block: RecordBlock, i: number): MapArgument<true> {
  const { data, keys, values } = block;
  const at = values[2 * i]!;
  const keyAt = keys === null ? 0 : keys[2 * i]!;
  return {
    key: keys === null ? decode(block.key, 0, block.key.length) : decode(data, keyAt, keyAt + keys[2 * i + 1]!),
    value: decode(data, at, at + values[2 * i + 1]!),
    source: block.source,
    offset: block.offset + (keys === null ? at : keyAt - 8),
  };
}

function byteRecord(block: RecordBlock, i: number): MapArgument<false> {
  const { data, keys, values } = block;
  const at = values[2 * i]!;
  const keyAt = keys === null ? 0 : keys[2 * i]!;
  return {
    key: keys === null ? block.key : data.subarray(keyAt, keyAt + keys[2 * i + 1]!),
    value: data.subarray(at, at + values[2 * i + 1]!),
    source: block.source,
    offset: block.offset + (keys === null ? at : keyAt - 8),
  };
}

/** @throws DafError ERR_DAF_BAD_DATA */
function parseJson({ value, source, offset }: MapArgument<boolean>): unknown {
  try {
    return JSON.parse(typeof value === 'string' ? value : decode(value, 0, value.length));
  } catch (error) {
    throw new DafError('ERR_DAF_BAD_DATA', `the line at byte ${offset} of ${source} is not JSON: ${(error as Error).message}`, {
      hint: 'every line of a JSON lines file is one JSON value',
    });
  }
}

/** DAF's own errors (cancelled, memory, a refused image) keep their code; anything else is the user's code failing. */
function userError(error: unknown, where: string): DafError {
  if (DafError.is(error)) return error;
  const native = DafError.from(error, 'ERR_DAF_USER_CODE');
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new DafError(native.code, `${where}: ${message}`, { hint: native.hint, cause: error });
}

function show(key: string | Uint8Array): string {
  const text = typeof key === 'string' ? key : Buffer.from(key.subarray(0, 64)).toString('latin1');
  return `key ${JSON.stringify(text.slice(0, 64))}`;
}
