import { addon } from '../../../core/addon/index.js';
import { RecordBatch } from '../../../core/addon/records.js';
import { attemptPrefix, type JobSpec, type TaskId } from '../../../core/contracts/job.js';
import { PACKED_HEADER } from '../../../core/contracts/record.js';
import type { Emit, RecordSink } from '../../../core/contracts/stage.js';
import type { BlobStore } from '../../../core/contracts/stores.js';
import type { OutputFile } from '../../../core/contracts/task.js';
import { failpoint } from '../../../core/failpoint.js';
import { LocalFile, stagingPath } from './local-file.js';

const BATCH = 256 << 10;
const OUT = 512 << 10;
const PIECE = 0x2000_0000;
const KEY_MASK = 0x1fff_ffff;
const MORE = 0x8000_0000;
const VALUE_MASK = 0x7fff_ffff;

/** Writes the records of a reduce (or of a map-only map) as one part file in the job's format. */
export class PartWriter implements RecordSink {
  readonly emit: Emit;
  readonly #spec: JobSpec;
  readonly #store: BlobStore;
  readonly #name: string;
  readonly #key: string;
  readonly #batch: RecordBatch;
  readonly #file: LocalFile;
  readonly #separator: Uint8Array;
  #out: Uint8Array | null = null;
  #records = 0;

  constructor(spec: JobSpec, store: BlobStore, task: TaskId, attempt: string, name: string, scratch: string) {
    this.#spec = spec;
    this.#store = store;
    this.#name = name;
    this.#key = attemptPrefix(spec.id, task, attempt) + name;
    this.#file = new LocalFile(stagingPath(store.localPath(this.#key), scratch, name));
    this.#separator = Buffer.from(spec.format.kind === 'text' ? spec.format.separator : '');
    this.#batch = new RecordBatch(BATCH, (batch) => this.#write(batch));
    this.emit = (key, value) => this.#batch.add(key, value);
  }

  get records(): number {
    return this.#records;
  }

  batch(packed: Uint8Array): void {
    this.#batch.flush();
    this.#write(packed);
  }

  /** True when nothing has been emitted so far. */
  isEmpty(): boolean {
    this.#batch.flush();
    return this.#records === 0;
  }

  /** Stores the file under the attempt's own prefix. */
  async finish(): Promise<OutputFile> {
    this.#batch.flush();
    this.#file.close();
    failpoint('task.before-output');
    await this.#store.putFile(this.#key, this.#file.path);
    const { bytes, crc } = this.#file;
    return { name: this.#name, key: this.#key, bytes, records: this.#records, crc32c: crc, volatile: false };
  }

  discard(): void {
    this.#file.discard();
  }

  #write(batch: Uint8Array): void {
    switch (this.#spec.format.kind) {
      case 'text':
        this.#writeText(batch);
        break;
      case 'packed':
        this.#records += countRecords(batch);
        this.#file.write(batch);
        break;
      case 'raw':
        this.#writeRaw(batch);
        break;
    }
  }

  #writeText(batch: Uint8Array): void {
    for (let at = 0; at < batch.length; ) {
      this.#out ??= new Uint8Array(OUT);
      const rest = at === 0 ? batch : batch.subarray(at);
      const done = addon().formatText(rest, this.#separator, this.#out, this.#file.crc);
      if (done.consumed === 0) {
        // One record larger than the buffer: make it large enough for that record, once.
        const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength);
        const size = (view.getUint32(0, true) & KEY_MASK) + (view.getUint32(4, true) & VALUE_MASK);
        this.#out = new Uint8Array(Math.max(this.#out.length * 2, size + this.#separator.length + 1));
        continue;
      }
      this.#file.write(this.#out.subarray(0, done.written), done.crc);
      this.#records += done.records;
      at += done.consumed;
    }
  }

  #writeRaw(batch: Uint8Array): void {
    this.#out ??= new Uint8Array(OUT);
    let used = 0;
    eachPiece(batch, (keyWord, from, to) => {
      if ((keyWord & PIECE) === 0) this.#records++;
      if (used + to - from > this.#out!.length) {
        this.#file.write(this.#out!.subarray(0, used));
        used = 0;
      }
      if (to - from > this.#out!.length) this.#file.write(batch.subarray(from, to));
      else {
        this.#out!.set(batch.subarray(from, to), used);
        used += to - from;
      }
    });
    this.#file.write(this.#out.subarray(0, used));
  }
}

function countRecords(batch: Uint8Array): number {
  let records = 0;
  eachPiece(batch, (keyWord) => {
    if ((keyWord & PIECE) === 0) records++;
  });
  return records;
}

function eachPiece(batch: Uint8Array, visit: (keyWord: number, valueFrom: number, valueTo: number, more: boolean) => void): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  for (let at = 0; at < batch.length; ) {
    const keyWord = view.getUint32(at, true);
    const valueWord = view.getUint32(at + 4, true);
    const from = at + PACKED_HEADER + (keyWord & KEY_MASK);
    at = from + (valueWord & VALUE_MASK);
    visit(keyWord, from, at, (valueWord & MORE) !== 0);
  }
}
