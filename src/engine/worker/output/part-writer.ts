import { addon, type RecordFormat } from '../../../core/addon/index.js';
import { RecordBatch } from '../../../core/addon/records.js';
import type { DafError } from '../../../core/contracts/errors.js';
import type { OutputFormat } from '../../../core/contracts/job.js';
import { KEY_MASK, PACKED_HEADER, PIECE, VALUE_MASK } from '../../../core/contracts/record.js';
import type { Emit, RecordSink } from '../../../core/contracts/stage.js';
import { JsonLines } from './json-lines.js';
import { LocalFile } from './local-file.js';

const BATCH = 256 << 10;
const OUT = 512 << 10;
const NONE = new Uint8Array(0);

/** Writes the records of a stage into one file in a format. The file, and memory for it, are there from the first record on. */
export class PartWriter implements RecordSink {
  readonly emit: Emit;
  readonly place = null;
  readonly #kind: OutputFormat;
  /** Made at the first record: many tasks have none. */
  #format: RecordFormat | null = null;
  #lines: JsonLines | null = null;
  readonly #path: () => string;
  #batch: RecordBatch | null = null;
  #file: LocalFile | null = null;
  #out: Uint8Array | null = null;
  #records = 0;

  constructor(format: OutputFormat, path: () => string) {
    this.#kind = format;
    this.#path = path;
    this.emit = (key, value) => this.#ownBatch().add(key, value);
  }

  batch(packed: Uint8Array): void {
    const batch = this.#ownBatch();
    batch.flush();
    batch.guard(() => this.#write(packed));
  }

  /** Records written so far; all of them once it has ended. */
  get records(): number {
    return this.#records;
  }

  /** Takes nothing more. @param late what is thrown to those who emit after this */
  end(late: () => DafError): void {
    this.#batch?.flush();
    this.#batch ??= new RecordBatch(0, () => {});
    this.#batch.end(late);
  }

  /** Ends the file, which may be empty, and tells what it holds. */
  close(): { readonly path: string; readonly bytes: number; readonly crc32c: number; readonly records: number } {
    const file = this.#open();
    file.close();
    const { path, bytes, crc } = file;
    return { path, bytes, crc32c: crc, records: this.#records };
  }

  discard(late: () => DafError): void {
    this.#batch ??= new RecordBatch(0, () => {});
    this.#batch.end(late);
    this.#file?.discard();
  }

  #ownBatch(): RecordBatch {
    this.#batch ??= new RecordBatch(BATCH, (batch) => this.#write(batch));
    return this.#batch;
  }

  #open(): LocalFile {
    this.#file ??= new LocalFile(this.#path());
    return this.#file;
  }

  #write(batch: Uint8Array): void {
    if (this.#kind.kind === 'json') {
      this.#lines ??= new JsonLines();
      this.#lines.check(batch);
    }
    this.#format ??= recordFormat(this.#kind);
    if (this.#format !== null) this.#writeFormatted(batch, this.#format);
    else {
      this.#records += countRecords(batch);
      this.#open().write(batch);
    }
  }

  #writeFormatted(batch: Uint8Array, format: RecordFormat): void {
    const file = this.#open();
    for (let at = 0; at < batch.length; ) {
      this.#out ??= new Uint8Array(OUT);
      const rest = at === 0 ? batch : batch.subarray(at);
      const done = addon().formatRecords(rest, format, this.#out, file.crc);
      if (done.consumed === 0) {
        // One record larger than the buffer: make it large enough for that record, once.
        const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength);
        const size = (view.getUint32(0, true) & KEY_MASK) + (view.getUint32(4, true) & VALUE_MASK);
        this.#out = new Uint8Array(Math.max(this.#out.length * 2, size + format.separator.length + 1));
        continue;
      }
      file.write(this.#out.subarray(0, done.written), done.crc);
      this.#records += done.records;
      at += done.consumed;
    }
  }
}

/** Null: packed records as they are. */
function recordFormat(format: OutputFormat): RecordFormat | null {
  switch (format.kind) {
    case 'text':
      return { keys: true, separator: Buffer.from(format.separator), newline: true };
    case 'joined':
      return { keys: true, separator: NONE, newline: false };
    case 'json':
      return { keys: false, separator: NONE, newline: true };
    case 'raw':
      return { keys: false, separator: NONE, newline: false };
    case 'packed':
      return null;
  }
}

function countRecords(batch: Uint8Array): number {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  let records = 0;
  for (let at = 0; at < batch.length; ) {
    const keyWord = view.getUint32(at, true);
    if ((keyWord & PIECE) === 0) records++;
    at += PACKED_HEADER + (keyWord & KEY_MASK) + (view.getUint32(at + 4, true) & VALUE_MASK);
  }
  return records;
}
