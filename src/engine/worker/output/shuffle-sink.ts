import { addon, type MapWriter } from '../../../core/addon/index.js';
import { GROUP_BUFFER_BYTES, RecordBatch, readGroups } from '../../../core/addon/records.js';
import { DafError } from '../../../core/contracts/errors.js';
import type { JobSpec } from '../../../core/contracts/job.js';
import { PACKED_HEADER } from '../../../core/contracts/record.js';
import type { Emit, RecordSink, StageRunner, TaskContext } from '../../../core/contracts/stage.js';
import { failpoint } from '../../../core/failpoint.js';

const BATCH = 256 << 10;
const FAN_IN = 32;
const PIECE = 0x2000_0000;
const KEY_MASK = 0x1fff_ffff;
const VALUE_MASK = 0x7fff_ffff;

/** What a map task emits, on its way into one sorted, partitioned segment file; combined whenever the buffer is full and at the end. */
export class ShuffleSink implements RecordSink {
  readonly emit: Emit;
  readonly #writer: MapWriter;
  readonly #runner: StageRunner;
  readonly #combineContext: TaskContext;
  readonly #reducers: number;
  readonly #batch: RecordBatch;
  #partitions = new Uint32Array(1024);
  #waiting = 0;
  #groupBuffer: Uint8Array | null = null;

  constructor(path: string, spec: JobSpec, runner: StageRunner, combineContext: TaskContext) {
    this.#runner = runner;
    this.#combineContext = combineContext;
    this.#reducers = spec.reducers;
    this.#writer = new (addon().MapWriter)({
      path,
      partitions: spec.reducers,
      bufferBytes: spec.memory.sortBuffer,
      combine: runner.combine !== undefined,
      customPartitions: runner.partition !== undefined,
      groupPrefix: 0,
      fanIn: FAN_IN,
      control: combineContext.control,
    });
    this.#batch = new RecordBatch(BATCH, (batch, records) => this.#append(batch, records));
    this.emit =
      runner.partition === undefined
        ? (key, value) => this.#batch.add(key, value)
        : (key, value) => {
            this.#assign(typeof key === 'string' ? Buffer.from(key) : key);
            this.#batch.add(key, value);
          };
  }

  batch(packed: Uint8Array, partitions: Uint32Array | null = null): void {
    this.#batch.flush();
    if (partitions !== null) {
      this.#append(packed, partitions.length, partitions);
      return;
    }
    let records = 0;
    if (this.#runner.partition !== undefined) {
      const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
      for (let at = 0; at < packed.length; ) {
        const keyWord = view.getUint32(at, true);
        const keySize = keyWord & KEY_MASK;
        if ((keyWord & PIECE) === 0) {
          this.#assign(packed.subarray(at + PACKED_HEADER, at + PACKED_HEADER + keySize));
          records++;
        }
        at += PACKED_HEADER + keySize + (view.getUint32(at + 4, true) & VALUE_MASK);
      }
    }
    this.#append(packed, records);
  }

  /** Writes the segment file. */
  finish(): { readonly bytes: number; readonly emitted: number } {
    this.#batch.flush();
    failpoint('task.map-spill');
    if (this.#runner.combine !== undefined) this.#combine(true);
    const emitted = this.#writer.recordsIn;
    const { bytes } = this.#writer.finish();
    this.#writer.dispose();
    return { bytes, emitted };
  }

  /** Removes what was written. */
  discard(): void {
    this.#writer.dispose();
  }

  #assign(key: Uint8Array): void {
    const partition = this.#runner.partition!(key, this.#reducers);
    if (!Number.isInteger(partition) || partition < 0 || partition >= this.#reducers) {
      throw new DafError(
        'ERR_DAF_USER_CODE',
        `partition returned ${partition}; expected a whole number from 0 to ${this.#reducers - 1}`,
      );
    }
    if (this.#waiting === this.#partitions.length) {
      const larger = new Uint32Array(this.#waiting * 2);
      larger.set(this.#partitions);
      this.#partitions = larger;
    }
    this.#partitions[this.#waiting++] = partition;
  }

  #append(batch: Uint8Array, records: number, given: Uint32Array | null = null): void {
    const custom = this.#runner.partition !== undefined;
    const partitions = given ?? this.#partitions;
    let taken = 0;
    for (let at = 0; at < batch.length; ) {
      const rest = at === 0 ? batch : batch.subarray(at);
      at += this.#writer.append(rest, custom ? partitions.subarray(taken, records) : null);
      taken += this.#writer.appendedRecords;
      if (at < batch.length) {
        failpoint('task.map-spill');
        this.#combine(false);
      }
    }
    if (custom && given === null) {
      this.#partitions.copyWithin(0, records, this.#waiting);
      this.#waiting -= records;
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
        batch(packed) {
          combined.flush();
          writer.writeCombined(packed);
        },
      };
      const { groups } = readGroups(fill, this.#groupBuffer);
      this.#runner.combine!({ groups, fill }, sink, this.#combineContext);
      combined.flush();
      writer.endCombine();
      if (!last) break;
    }
  }
}
