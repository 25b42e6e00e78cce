import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { addon } from '../../../core/addon/index.js';
import { DafError } from '../../../core/contracts/errors.js';

/** A file under construction with the CRC-32C of what was written. Synchronous: it lives in a task thread. */
export class LocalFile {
  readonly path: string;
  readonly #fd: number;
  #bytes = 0;
  #crc = 0;
  #open = true;

  constructor(path: string) {
    this.path = path;
    mkdirSync(dirname(path), { recursive: true });
    this.#fd = openSync(path, 'w');
  }

  get bytes(): number {
    return this.#bytes;
  }

  get crc(): number {
    return this.#crc;
  }

  /** @param crc the CRC continued over the bytes, where the caller has it already. */
  write(bytes: Uint8Array, crc?: number): void {
    this.#crc = crc ?? addon().crc32c(this.#crc, bytes);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      // Node's own message does not say which file.
      const { code, message, hint } = DafError.from(error, 'ERR_DAF_IO');
      throw new DafError(code, `cannot write ${this.path}: ${message}`, { hint, cause: error });
    }
    this.#bytes += bytes.length;
  }

  close(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }

  discard(): void {
    this.close();
    rmSync(this.path, { force: true });
  }
}

/** Where to build a file so that moving it to `key` is a rename where the store can do that. */
export function stagingPath(localPath: string | null, scratch: string, name: string): string {
  return localPath === null ? join(scratch, name) : join(dirname(localPath), `.${name}.tmp`);
}
