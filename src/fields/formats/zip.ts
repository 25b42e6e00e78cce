import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { crc32, inflateRawSync } from 'node:zlib';
import { DafError } from '../../core/contracts/errors.js';
import { badData } from './bad-data.js';

interface ZipEntry {
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  /** Of the local header. */
  readonly offset: number;
}

const END = 0x06054b50;
const END_BYTES = 22;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const LOCATOR64_BYTES = 20;
const CENTRAL = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const ENCRYPTED = 1;
const MAX_DIRECTORY = 16 << 20;

/** Reads single entries of a zip archive (stored or deflated, zip64 too); the others stay on the disk. */
export class ZipFile implements Disposable {
  readonly #file: number;
  readonly #path: string;
  readonly #size: number;
  readonly #maxBytes: number;
  readonly #entries: Map<string, ZipEntry>;

  /**
   * @param maxBytes what one entry may take, unpacked.
   * @throws DafError ERR_DAF_NOT_FOUND, ERR_DAF_IO; ERR_DAF_BAD_DATA: not a zip archive, or damaged.
   */
  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    try {
      this.#file = openSync(path, 'r');
    } catch (error) {
      throw DafError.from(error, 'ERR_DAF_IO');
    }
    try {
      this.#size = fstatSync(this.#file).size;
      this.#entries = this.#directory();
    } catch (error) {
      closeSync(this.#file);
      throw DafError.from(error, 'ERR_DAF_IO');
    }
  }

  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** @throws DafError ERR_DAF_BAD_DATA: no such entry, packed in another way, damaged, or larger than allowed. */
  read(name: string): Uint8Array {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw badData(`${this.#path} holds no "${name}"`, `it holds ${this.names.slice(0, 20).join(', ')}`);
    const what = `${this.#path}: "${name}"`;
    if (entry.size > this.#maxBytes) throw badData(`${what} takes ${entry.size} bytes, ${this.#maxBytes} are allowed`);
    const local = this.#at(entry.offset, LOCAL_BYTES);
    if (local.readUInt32LE(0) !== LOCAL) throw badData(`${what}: its header is damaged`);
    const packed = this.#at(entry.offset + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28), entry.packed);
    const bytes = unpack(packed, entry, what);
    if (crc32(bytes) !== entry.crc) throw badData(`${what}: its checksum is wrong`);
    return bytes;
  }

  close(): void {
    closeSync(this.#file);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #directory(): Map<string, ZipEntry> {
    const { offset, length, count } = this.#end();
    if (length > MAX_DIRECTORY) throw badData(`${this.#path}: a directory of ${length} bytes`);
    const directory = this.#at(offset, length);
    const entries = new Map<string, ZipEntry>();
    let at = 0;
    for (let i = 0; i < count; i++) {
      if (at + CENTRAL_BYTES > length || directory.readUInt32LE(at) !== CENTRAL)
        throw badData(`${this.#path}: its directory is damaged`);
      const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => directory.readUInt16LE(at + field)) as [
        number,
        number,
        number,
      ];
      const end = at + CENTRAL_BYTES + nameLength + extraLength + commentLength;
      if (end > length) throw badData(`${this.#path}: its directory is damaged`);
      const name = directory.toString('utf8', at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameLength);
      if ((directory.readUInt16LE(at + 8) & ENCRYPTED) !== 0) throw badData(`${this.#path}: "${name}" is encrypted`);
      const extra = directory.subarray(at + CENTRAL_BYTES + nameLength, at + CENTRAL_BYTES + nameLength + extraLength);
      const [size, packed, start] = wide(
        [24, 20, 42].map((field) => directory.readUInt32LE(at + field)),
        extra,
        `${this.#path}: "${name}"`,
      );
      entries.set(name, {
        method: directory.readUInt16LE(at + 10),
        crc: directory.readUInt32LE(at + 16),
        size: size!,
        packed: packed!,
        offset: start!,
      });
      at = end;
    }
    return entries;
  }

  /** Where the directory is: the record at the archive's end, behind it a comment of at most 64 KB. */
  #end(): { offset: number; length: number; count: number } {
    const tailLength = Math.min(this.#size, END_BYTES + 0xffff);
    const tail = this.#at(this.#size - tailLength, tailLength);
    let at = tail.length - END_BYTES;
    while (at >= 0 && tail.readUInt32LE(at) !== END) at--;
    if (at < 0) throw badData(`${this.#path}: not a zip archive, or cut off`);
    const [count, length, offset] = [tail.readUInt16LE(at + 10), tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)];
    if (count !== 0xffff && length !== 0xffffffff && offset !== 0xffffffff) return { offset, length, count };
    if (at < LOCATOR64_BYTES || tail.readUInt32LE(at - LOCATOR64_BYTES) !== LOCATOR64) return { offset, length, count };
    const end = this.#at(Number(tail.readBigUInt64LE(at - LOCATOR64_BYTES + 8)), 56);
    if (end.readUInt32LE(0) !== END64) throw badData(`${this.#path}: its directory is damaged`);
    const field = (position: number): number => Number(end.readBigUInt64LE(position));
    return { offset: field(48), length: field(40), count: field(32) };
  }

  #at(offset: number, length: number): Buffer {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.#size))
      throw badData(`${this.#path}: cut off, or its directory is damaged`);
    const bytes = Buffer.alloc(length);
    for (let got = 0; got < length; ) {
      const read = readSync(this.#file, bytes, got, length - got, offset + got);
      if (read === 0) throw badData(`${this.#path}: shrank while it was read`);
      got += read;
    }
    return bytes;
  }
}

/** Fields that are all ones stand, in their order, in the extra block 0x0001 with 64 bits each. */
function wide(fields: number[], extra: Buffer, what: string): number[] {
  if (!fields.includes(0xffffffff)) return fields;
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    let position = at + 4;
    return fields.map((field) => {
      if (field !== 0xffffffff) return field;
      if (position + 8 > extra.length) throw badData(`${what}: its directory entry is damaged`);
      position += 8;
      return Number(extra.readBigUInt64LE(position - 8));
    });
  }
  throw badData(`${what}: its directory entry is damaged`);
}

function unpack(packed: Buffer, entry: ZipEntry, what: string): Uint8Array {
  if (entry.method === 0 && entry.packed === entry.size) return packed;
  if (entry.method !== 0 && entry.method !== 8)
    throw badData(`${what}: packed by method ${entry.method}`, 'stored and deflated entries are read');
  let bytes: Uint8Array;
  try {
    bytes = entry.method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size) });
  } catch (cause) {
    throw new DafError('ERR_DAF_BAD_DATA', `${what}: does not unpack`, { cause });
  }
  if (bytes.length !== entry.size) throw badData(`${what}: has ${bytes.length} bytes where its directory says ${entry.size}`);
  return bytes;
}
