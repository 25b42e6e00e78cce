import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { DafError } from '../../../core/contracts/errors.js';
import type { SplitPiece } from '../../../core/contracts/job.js';
import type { BlobStore } from '../../../core/contracts/stores.js';

/** Random access to the bytes of one input file. */
export interface ByteSource {
  /** Reads up to `length` bytes at `position` into `target`; fewer only at the end of the file. */
  read(target: Buffer, at: number, length: number, position: number): number | Promise<number>;
  close(): void;
}

/**
 * Opens the file of a piece. A file on this machine is read synchronously: the thread is ours, and a promise for every chunk buys nothing.
 * @throws DafError ERR_DAF_BAD_DATA when the file no longer has the length it had when the splits were made.
 */
export async function openSource(piece: SplitPiece, store: BlobStore): Promise<ByteSource> {
  const path = piece.stored ? store.localPath(piece.path) : piece.path;
  if (path !== null) return new FileSource(piece, path);
  const info = await store.stat(piece.path);
  if (info === null) throw new DafError('ERR_DAF_NOT_FOUND', `${piece.name}: no such object ${piece.path}`);
  checkLength(piece, info.bytes);
  return {
    async read(target, at, length, position) {
      const bytes = await store.getRange(piece.path, position, length);
      target.set(bytes, at);
      return bytes.length;
    },
    close() {},
  };
}

class FileSource implements ByteSource {
  readonly #fd: number;

  constructor(piece: SplitPiece, path: string) {
    this.#fd = openFile(piece, path);
    try {
      checkLength(piece, fstatSync(this.#fd).size);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  read(target: Buffer, at: number, length: number, position: number): number {
    let total = 0;
    while (total < length) {
      const got = readSync(this.#fd, target, at + total, length - total, position + total);
      if (got === 0) break;
      total += got;
    }
    return total;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function openFile(piece: SplitPiece, path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const { code } = DafError.from(error, 'ERR_DAF_IO');
    throw new DafError(code, `input ${piece.name} cannot be opened`, { cause: error });
  }
}

function checkLength(piece: SplitPiece, bytes: number): void {
  if (bytes === piece.fileLength) return;
  throw new DafError(
    'ERR_DAF_BAD_DATA',
    `input ${piece.name} had ${piece.fileLength} bytes when the job began and has ${bytes} now`,
    {
      hint: 'do not change inputs while a job runs; submit it again',
    },
  );
}
