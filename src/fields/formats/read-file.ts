import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { DafError } from '../../core/contracts/errors.js';
import { breathe, throwIfAborted } from '../abortable.js';
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

/** The same for what takes long. */
export async function withFileOpen<T>(path: string, call: (file: FileHandle, size: number) => Promise<T>): Promise<T> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    return await call(file, (await file.stat()).size);
  } catch (error) {
    throw DafError.from(error, 'ERR_DAF_IO');
  } finally {
    await file?.close();
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
  /** Whether a window was read since the last pause. */
  #worked = false;

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

  /** To be called between two entries: lets others have their turn once in each window. @throws DafError ERR_DAF_CANCELLED */
  async pause(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#worked) return;
    this.#worked = false;
    await breathe(signal);
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
      this.#worked = true;
      if (got < this.#window.length) throw badData(`${this.#what}: shrank while it was read`);
    }
    this.#at += bytes;
    return read(this.#window, this.#at - bytes);
  }
}

const MAX_LINE = 64 << 20;

/** The lines of a text file, without their ends, many at a time. @throws DafError ERR_DAF_CANCELLED, ERR_DAF_NOT_FOUND, ERR_DAF_IO */
export async function* readLines(path: string, signal: AbortSignal | undefined): AsyncGenerator<string[]> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const decoder = new TextDecoder();
    const chunk = Buffer.alloc(WINDOW);
    let rest: string[] = []; // of a line whose end is still to come
    let length = 0;
    for (;;) {
      throwIfAborted(signal);
      const { bytesRead } = await file.read(chunk, 0, WINDOW, null);
      const lines = decoder.decode(chunk.subarray(0, bytesRead), { stream: bytesRead > 0 }).split('\n');
      const last = lines.pop()!;
      if (lines.length > 0) {
        lines[0] = rest.join('') + lines[0]!;
        rest = [];
        length = 0;
        yield lines.map(withoutReturn);
      }
      rest.push(last);
      length += last.length;
      if (length > MAX_LINE) throw badData(`${path}: a line of more than ${MAX_LINE} characters`);
      if (bytesRead === 0) break;
    }
    if (length > 0) yield [withoutReturn(rest.join(''))];
  } catch (error) {
    throw DafError.from(error, 'ERR_DAF_IO');
  } finally {
    await file?.close();
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
