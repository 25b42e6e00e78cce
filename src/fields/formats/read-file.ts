import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { DafError } from '../../core/contracts/errors.js';
import { badData } from './bad-data.js';

/** @throws DafError ERR_DAF_NOT_FOUND, ERR_DAF_PERMISSION, ERR_DAF_IO; ERR_DAF_BAD_DATA: larger than `maxBytes`. */
export function readWhole(path: string, maxBytes: number): Buffer {
  return withFile(path, (file, size) => {
    if (size > maxBytes) throw badData(`${path}: ${size} bytes, ${maxBytes} are allowed`);
    return readFileSync(file);
  });
}

/** Opens, calls, closes; errors of the system become DafErrors that name the file. */
export function withFile<T>(path: string, call: (file: number, size: number) => T): T {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw DafError.from(error, 'ERR_DAF_IO');
  }
  try {
    return call(file, fstatSync(file).size);
  } catch (error) {
    throw DafError.from(error, 'ERR_DAF_IO');
  } finally {
    closeSync(file);
  }
}

const WINDOW = 1 << 16;

/** Reads numbers from front to back through a small window, so that what is skipped costs no memory. Little endian. */
export class BinaryReader {
  readonly #file: number;
  readonly #what: string;
  readonly #size: number;
  #window = Buffer.alloc(0);
  /** Of the window's start, in the file. */
  #start = 0;
  #at = 0;

  constructor(file: number, size: number, what: string) {
    this.#file = file;
    this.#size = size;
    this.#what = what;
  }

  get left(): number {
    return this.#size - this.#start - this.#at;
  }

  u8(): number {
    return this.#take(1, (bytes, at) => bytes.readUInt8(at));
  }
  i32(): number {
    return this.#take(4, (bytes, at) => bytes.readInt32LE(at));
  }
  u32(): number {
    return this.#take(4, (bytes, at) => bytes.readUInt32LE(at));
  }
  f64(): number {
    return this.#take(8, (bytes, at) => bytes.readDoubleLE(at));
  }

  /** A count of things of at least `bytes` bytes each that follow. */
  count(bytes: number): number {
    const count = Number(this.#take(8, (window, at) => window.readBigUInt64LE(at)));
    if (count * bytes > this.left) throw badData(`${this.#what}: cut off (${count} entries announced)`);
    return count;
  }

  /** Up to and without its NUL. */
  text(maxBytes: number): string {
    const bytes: number[] = [];
    for (let byte = this.u8(); byte !== 0; byte = this.u8()) {
      if (bytes.push(byte) > maxBytes) throw badData(`${this.#what}: a name of more than ${maxBytes} bytes`);
    }
    return Buffer.from(bytes).toString('utf8');
  }

  skip(bytes: number): void {
    if (!(bytes >= 0 && bytes <= this.left)) throw badData(`${this.#what}: cut off`);
    this.#at += bytes;
  }

  #take<T>(bytes: number, read: (window: Buffer, at: number) => T): T {
    if (bytes > this.left) throw badData(`${this.#what}: cut off`);
    if (this.#at + bytes > this.#window.length) {
      this.#start += this.#at;
      this.#at = 0;
      this.#window = Buffer.alloc(Math.min(WINDOW, this.#size - this.#start));
      const got = readSync(this.#file, this.#window, 0, this.#window.length, this.#start);
      if (got < this.#window.length) throw badData(`${this.#what}: shrank while it was read`);
    }
    this.#at += bytes;
    return read(this.#window, this.#at - bytes);
  }
}

const MAX_LINE = 64 << 20;

/** The lines of a text file, without their ends, one at a time. */
export function* readLines(path: string): Generator<string> {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw DafError.from(error, 'ERR_DAF_IO');
  }
  try {
    const decoder = new TextDecoder();
    const chunk = Buffer.alloc(WINDOW);
    let rest = '';
    for (let got = readSync(file, chunk); got > 0; got = readSync(file, chunk)) {
      const lines = (rest + decoder.decode(chunk.subarray(0, got), { stream: true })).split('\n');
      rest = lines.pop()!;
      if (rest.length > MAX_LINE) throw badData(`${path}: a line of more than ${MAX_LINE} characters`);
      for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
    }
    if (rest !== '') yield rest;
  } catch (error) {
    throw DafError.from(error, 'ERR_DAF_IO');
  } finally {
    closeSync(file);
  }
}
