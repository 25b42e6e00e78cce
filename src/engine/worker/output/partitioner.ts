import type { CutPoints } from '../../../core/addon/index.js';
import { DafError } from '../../../core/contracts/errors.js';
import { KEY_MASK, PACKED_HEADER, PIECE, VALUE_MASK } from '../../../core/contracts/record.js';
import type { Place } from '../../../core/contracts/stage.js';

/** Which reducer gets a record, where that is not the hash of its key. */
export interface Partitioner {
  /** Sees every record emitted singly, in order. */
  note(key: string | Uint8Array): void;
  /** The record noted last is not emitted after all. */
  forget(): void;
  /** The reducers of a batch of `records` that were noted since the last call. Valid until the next call. */
  noted(batch: Uint8Array, records: number): Uint32Array;
  /** The reducers of records that come as a batch. */
  ofBatch(batch: Uint8Array, positions: Float64Array | undefined): Uint32Array;
}

/** Asks the job's own function. */
export class KeyPartitioner implements Partitioner {
  readonly #partition: (key: Uint8Array, reducers: number) => number;
  readonly #reducers: number;
  #partitions = new Uint32Array(1024);
  #waiting = 0;

  constructor(partition: (key: Uint8Array, reducers: number) => number, reducers: number) {
    this.#partition = partition;
    this.#reducers = reducers;
  }

  note(key: string | Uint8Array): void {
    const partition = this.#partition(typeof key === 'string' ? Buffer.from(key) : key, this.#reducers);
    if (!Number.isInteger(partition) || partition < 0 || partition >= this.#reducers) {
      throw new DafError(
        'ERR_DAF_USER_CODE',
        `partition returned ${partition}; expected a whole number from 0 to ${this.#reducers - 1}`,
      );
    }
    if (this.#waiting === this.#partitions.length) this.#partitions = grown(this.#partitions, new Uint32Array(this.#waiting * 2));
    this.#partitions[this.#waiting++] = partition;
  }

  forget(): void {
    this.#waiting--;
  }

  /** A record is noted before it is batched, so that more may be noted than the batch holds: those stay. */
  noted(_batch: Uint8Array, records: number): Uint32Array {
    const taken = this.#partitions.slice(0, records);
    this.#partitions.copyWithin(0, records, this.#waiting);
    this.#waiting -= records;
    return taken;
  }

  ofBatch(batch: Uint8Array): Uint32Array {
    const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
    let records = 0;
    for (let at = 0; at < batch.length; ) {
      const keyWord = view.getUint32(at, true);
      const keySize = keyWord & KEY_MASK;
      if ((keyWord & PIECE) === 0) {
        this.note(batch.subarray(at + PACKED_HEADER, at + PACKED_HEADER + keySize));
        records++;
      }
      at += PACKED_HEADER + keySize + (view.getUint32(at + 4, true) & VALUE_MASK);
    }
    return this.noted(batch, records);
  }
}

/** By cut points, which a step before this one has chosen: partitions are ranges of keys. */
export class RangePartitioner implements Partitioner {
  readonly #cuts: CutPoints;
  readonly #place: Place;
  #positions = new Float64Array(1024);
  #partitions = new Uint32Array(1024);
  #waiting = 0;

  /** @param place of the record being emitted; the split stays the same for all records of a task */
  constructor(cuts: CutPoints, place: Place) {
    this.#cuts = cuts;
    this.#place = place;
  }

  note(): void {
    if (this.#waiting === this.#positions.length) this.#positions = grown(this.#positions, new Float64Array(this.#waiting * 2));
    this.#positions[this.#waiting++] = this.#place.at;
  }

  forget(): void {
    this.#waiting--;
  }

  noted(batch: Uint8Array, records: number): Uint32Array {
    const partitions = this.ofBatch(batch, this.#positions.subarray(0, records));
    this.#positions.copyWithin(0, records, this.#waiting);
    this.#waiting -= records;
    return partitions;
  }

  ofBatch(batch: Uint8Array, positions: Float64Array | undefined): Uint32Array {
    if (positions === undefined) {
      throw new DafError('ERR_DAF_BAD_JOB', 'a batch of a totally ordered step does not say where its records stand', {
        hint: 'give sink.batch the positions of the records in their split',
      });
    }
    if (this.#partitions.length < positions.length) this.#partitions = new Uint32Array(positions.length * 2);
    this.#cuts.partition(batch, this.#place.split, positions, this.#partitions);
    return this.#partitions.subarray(0, positions.length);
  }
}

function grown<T extends Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
