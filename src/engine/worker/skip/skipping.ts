import { DafError } from '../../../core/contracts/errors.js';
import { taskName } from '../../../core/contracts/job.js';
import type { MapInput, RecordBlock, RecordSink, StageRunner, TaskContext } from '../../../core/contracts/stage.js';
import { FIRST_SKIPPING_TRY, type TaskInput } from '../../../core/contracts/task.js';
import type { MeteredInput } from '../input/map-input.js';
import { blockRange } from './block-range.js';
import { isolate } from './isolate.js';

/** What a task goes on without: the ordinals of the records in its split, and what is told of them. */
export interface Quarantine {
  readonly records: ReadonlySet<number>;
  /** JSON lines. */
  readonly listing: string;
}

export const PROBING_TRY = FIRST_SKIPPING_TRY + 1;

/** True where looking for them in this very thread has not helped either: they take down what they are looked at in. */
export function mustProbe({ assignment }: TaskInput): boolean {
  return assignment.try >= PROBING_TRY;
}

/** True for an attempt that looks for records that kill it before it maps the others. */
export function mustSkip({ spec, assignment }: TaskInput): boolean {
  return spec.maxSkipped > 0 && assignment.try >= FIRST_SKIPPING_TRY && assignment.task.stage === 'map';
}

/** Name of the file that lists what a task skipped. */
export function quarantineName({ assignment }: TaskInput): string {
  return `quarantine/${taskName(assignment.task)}.jsonl`;
}

/** Where records go that are mapped only to see whether that goes well. */
export interface Trial {
  readonly sink: RecordSink;
  /** How often records are mapped: no combiner is asked about a single value, which is all that a key may have in a few records. */
  readonly times: 1 | 2;
  /** What a task does once it has mapped: its combiner may die as well. */
  finish(): void;
  discard(): void;
}

/**
 * Maps every block into a trial, and those that die by halves.
 * @param context whose counters, files and refusals nobody will see
 * @param begin opens a trial
 * @throws the error of the record that is one too many, or that the attempt was cancelled
 */
export async function findKillers(
  input: MapInput,
  runner: StageRunner,
  context: TaskContext,
  begin: () => Trial,
  maxSkipped: number,
): Promise<Quarantine> {
  const records = new Set<number>();
  let listing = '';
  let before = 0;
  for await (const block of input.blocks()) {
    const kills = (from: number, to: number): Promise<DafError | null> =>
      dies(blockRange(block, from, to), runner, context, begin);
    for (const { index, error } of await isolate(0, block.count, kills)) {
      if (records.size === maxSkipped) throw error;
      records.add(before + index);
      listing += `${JSON.stringify(describe(block, index, error))}\n`;
    }
    before += block.count;
  }
  return { records, listing };
}

/** What is told of records that were found elsewhere. @param killers by their ordinals */
export async function describeKillers(input: MapInput, killers: ReadonlyMap<number, DafError>): Promise<Quarantine> {
  let listing = '';
  let before = 0;
  for await (const block of input.blocks()) {
    for (const [ordinal, error] of killers) {
      const index = ordinal - before;
      if (index >= 0 && index < block.count) listing += `${JSON.stringify(describe(block, index, error))}\n`;
    }
    before += block.count;
  }
  return { records: new Set(killers.keys()), listing };
}

/** The same input without some of its records. */
export function without(input: MeteredInput, records: ReadonlySet<number>): MeteredInput {
  async function* blocks(): AsyncGenerator<RecordBlock> {
    let before = 0;
    for await (const block of input.blocks()) {
      let from = 0;
      for (let i = 0; i <= block.count; i++) {
        if (i < block.count && !records.has(before + i)) continue;
        if (i > from) yield blockRange(block, from, i);
        from = i + 1;
      }
      before += block.count;
    }
  }
  return { blocks, intake: () => input.intake() };
}

async function dies(block: RecordBlock, runner: StageRunner, context: TaskContext, begin: () => Trial): Promise<DafError | null> {
  context.checkCancelled();
  const trial = begin();
  try {
    await runner.map({ blocks: () => repeated(block, trial.times) }, trial.sink, context);
    trial.finish();
    return null;
  } catch (error) {
    const known = DafError.from(error);
    if (known.code === 'ERR_DAF_CANCELLED') throw known;
    return known;
  } finally {
    trial.discard();
  }
}

async function* repeated(block: RecordBlock, times: number): AsyncGenerator<RecordBlock> {
  for (let i = 0; i < times; i++) yield block;
}

function describe(block: RecordBlock, index: number, error: DafError): Record<string, unknown> {
  const { source, offset, data, keys, values } = blockRange(block, index, index + 1);
  const bytes = (spans: Uint32Array): string => data.subarray(spans[0]!, spans[0]! + spans[1]!).toString('base64');
  return {
    source,
    offset,
    ...(keys === null ? {} : { key: bytes(keys) }),
    value: bytes(values),
    code: error.code,
    message: error.message,
  };
}
