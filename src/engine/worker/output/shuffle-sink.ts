import { addon, type MapWriter, type SegmentInfo } from '../../../core/addon/index.js';
import { GROUP_BUFFER_BYTES, RecordBatch, readGroups } from '../../../core/addon/records.js';
import type { DafError } from '../../../core/contracts/errors.js';
import type { Emit, Place, RecordSink, StageRunner, TaskContext } from '../../../core/contracts/stage.js';
import type { StepSpec } from '../../../core/contracts/step.js';
import { failpoint } from '../../../core/failpoint.js';
import { tooLate } from '../late.js';
import { Gatherer } from './gatherer.js';
import { KeyPartitioner, type Partitioner, RangePartitioner } from './partitioner.js';

const BATCH = 256 << 10;
const FAN_IN = 32;
const MOST_GATHERED = 24 << 20;
const LEAST_GATHERED = 256 << 10;

/** What a map task emits, on its way into one sorted, partitioned segment file; combined whenever the buffer is full and at the end. */
export class ShuffleSink implements RecordSink {
  readonly emit: Emit;
  readonly place: Place | null;
  readonly #writer: MapWriter;
  readonly #runner: StageRunner;
  readonly #combineContext: TaskContext;
  readonly #partitioner: Partitioner | null;
  readonly #batch: RecordBatch;
  /** Null where what is emitted goes straight into the sort buffer. */
  readonly #gatherer: Gatherer | null;
  #groupBuffer: Uint8Array | null = null;

  /** @param cuts cut points as packed records; null: the runner's own partition, or the hash */
  constructor(path: string, step: StepSpec, runner: StageRunner, cuts: Uint8Array | null, combineContext: TaskContext) {
    this.#runner = runner;
    this.#combineContext = combineContext;
    this.place = cuts === null ? null : { split: 0, at: 0 };
    const partitioner = choosePartitioner(runner, step.reducers, cuts, this.place);
    this.#partitioner = partitioner;
    this.#writer = new (addon().MapWriter)({
      path,
      partitions: step.reducers,
      bufferBytes: step.memory.sortBuffer,
      combine: runner.combine !== undefined,
      customPartitions: partitioner !== null,
      groupPrefix: step.groupPrefix,
      fanIn: FAN_IN,
      control: combineContext.control,
    });
    // Records of a totally ordered step have places of their own, which gathering would lose.
    try {
      this.#gatherer =
        runner.gather === true && cuts === null
          ? new Gatherer(runner, combineContext, gatherBytes(step), (packed) => this.#appendAll(packed))
          : null;
    } catch (error) {
      this.#writer.dispose(); // nobody else would give its memory back before the next collection
      throw error;
    }
    const gatherer = this.#gatherer;
    this.#batch = new RecordBatch(
      BATCH,
      gatherer === null
        ? (batch, records) => this.#append(batch, records, partitioner?.noted(batch, records) ?? null)
        : (batch) => gatherer.add(batch),
    );
    this.emit =
      partitioner === null || gatherer !== null
        ? (key, value) => this.#batch.add(key, value)
        : (key, value) => {
            partitioner.note(key);
            try {
              this.#batch.add(key, value);
            } catch (error) {
              partitioner.forget(); // or those after it would go where their neighbours belong
              throw error;
            }
          };
  }

  batch(packed: Uint8Array, partitions: Uint32Array | null = null, positions?: Float64Array): void {
    this.#batch.flush();
    this.#batch.guard(() => {
      this.#gatherer?.finish();
      if (partitions === null) this.#appendAll(packed, positions);
      else this.#append(packed, partitions.length, partitions);
    });
  }

  /** Writes the segment file. @param late what is thrown to those who emit after this */
  finish(late: () => DafError = tooLate): { readonly bytes: number; readonly emitted: number; readonly digest: number } {
    this.#batch.flush();
    this.#batch.end(late);
    this.#gatherer?.finish();
    this.#gatherer?.dispose();
    failpoint('task.map-spill');
    if (this.#runner.combine !== undefined) this.#combine(true);
    const emitted = this.#writer.recordsIn;
    const { bytes, segments } = this.#writer.finish();
    this.#writer.dispose();
    return { bytes, emitted, digest: segmentsDigest(segments) };
  }

  /** Removes what was written. */
  discard(late: () => DafError = tooLate): void {
    this.#batch.end(late);
    this.#gatherer?.dispose();
    this.#writer.dispose();
  }

  #appendAll(packed: Uint8Array, positions?: Float64Array): void {
    const partitions = this.#partitioner?.ofBatch(packed, positions) ?? null;
    this.#append(packed, partitions?.length ?? 0, partitions);
  }

  #append(batch: Uint8Array, records: number, partitions: Uint32Array | null): void {
    let taken = 0;
    for (let at = 0; at < batch.length; ) {
      const rest = at === 0 ? batch : batch.subarray(at);
      at += this.#writer.append(rest, partitions?.subarray(taken, records) ?? null);
      taken += this.#writer.appendedRecords;
      if (at < batch.length) {
        failpoint('task.map-spill');
        this.#combine(false);
      }
    }
  }

  #combine(last: boolean): void {
    const writer = this.#writer;
    this.#groupBuffer ??= new Uint8Array(GROUP_BUFFER_BYTES);
    while (writer.beginCombine(last)) {
      const combined = new RecordBatch(BATCH, (batch) => writer.writeCombined(batch));
      const fill = (buffer: Uint8Array): number => {
        combined.flush(); // what was made of earlier groups goes first
        return writer.nextGroups(buffer);
      };
      const sink: RecordSink = {
        emit: (key, value) => combined.add(key, value),
        place: null,
        batch(packed) {
          combined.flush();
          writer.writeCombined(packed);
        },
      };
      this.#runner.combine!({ ...readGroups(fill, this.#groupBuffer), fill }, sink, this.#combineContext);
      combined.flush();
      writer.endCombine();
      if (!last) break;
    }
  }
}

/** A part of what the task may use beside its sort buffer: the same on every worker, and so is when groups come out. */
function gatherBytes({ memory }: StepSpec): number {
  return Math.min(MOST_GATHERED, Math.max(LEAST_GATHERED, Math.floor(memory.task / 4)));
}

/** Stands for all bytes of a segment file without reading them again. */
function segmentsDigest(segments: readonly SegmentInfo[]): number {
  const numbers = new Float64Array(3 * segments.length);
  for (const [i, { bytes, records, crc }] of segments.entries()) numbers.set([bytes, records, crc], 3 * i);
  return addon().crc32c(0, new Uint8Array(numbers.buffer));
}

function choosePartitioner(
  runner: StageRunner,
  reducers: number,
  cuts: Uint8Array | null,
  place: Place | null,
): Partitioner | null {
  if (cuts !== null && place !== null) return new RangePartitioner(new (addon().CutPoints)(cuts), place);
  return runner.partition === undefined ? null : new KeyPartitioner(runner.partition, reducers);
}
