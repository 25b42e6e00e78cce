import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { DafError } from '../../../core/contracts/errors.js';
import type { SplitPiece } from '../../../core/contracts/job.js';
import type { BlobStore } from '../../../core/contracts/stores.js';
import { TIME, versionOfFile } from '../../../core/file-version.js';
import { openBlobStore } from '../../stores/open-blob.js';
import { localPathOf, MAX_SMALL, readSmall } from './read-ahead.js';

const READ_AHEAD = 4 << 20;

/** Random access to the bytes of one input file. */
export interface ByteSource {
  /** Reads up to `length` bytes at `position` into `target`; fewer only at the end of the file. */
  read(target: Buffer, at: number, length: number, position: number): number | Promise<number>;
  /** @throws DafError ERR_DAF_INPUT_CHANGED where what was read may be neither the old bytes nor the new */
  check?(): void;
  close(): void;
}

/**
 * Opens the file of a piece. A file on this machine is read synchronously: the thread is ours, and a promise for every chunk buys nothing.
 * @throws DafError ERR_DAF_INPUT_CHANGED when the file is no longer the one that it was when the splits were made.
 */
export function openSource(piece: SplitPiece, store: BlobStore): ByteSource | Promise<ByteSource> {
  if (!piece.stored && piece.path.startsWith('s3://')) {
    const slash = piece.path.indexOf('/', 's3://'.length);
    return openBlob(piece, openBlobStore(piece.path.slice(0, slash)), piece.path.slice(slash + 1));
  }
  const path = piece.stored ? localPathOf(store, piece.path) : piece.path;
  if (path === null) return openBlob(piece, store, piece.path);
  return piece.stored && piece.length <= MAX_SMALL ? new SmallSource(piece, path) : new FileSource(piece, path);
}

async function openBlob(piece: SplitPiece, store: BlobStore, key: string): Promise<ByteSource> {
  const info = await store.stat(key);
  if (info === null) throw new DafError('ERR_DAF_NOT_FOUND', `${piece.name}: no such object ${key}`);
  checkVersion(piece, info.bytes, info.version ?? null);
  return new BlobSource(store, key, info.bytes);
}

/** Reads ahead: a request costs as much as megabytes do. */
class BlobSource implements ByteSource {
  readonly #store: BlobStore;
  readonly #key: string;
  readonly #bytes: number;
  #from = 0;
  #held: Uint8Array = new Uint8Array();

  constructor(store: BlobStore, key: string, bytes: number) {
    this.#store = store;
    this.#key = key;
    this.#bytes = bytes;
  }

  async read(target: Buffer, at: number, length: number, position: number): Promise<number> {
    let total = 0;
    while (total < length && position + total < this.#bytes) {
      const next = position + total;
      if (next < this.#from || next >= this.#from + this.#held.length) {
        this.#held = new Uint8Array(); // not two of them at a time
        this.#held = await this.#store.getRange(this.#key, next, READ_AHEAD);
        this.#from = next;
        if (this.#held.length === 0) break;
      }
      const some = this.#held.subarray(next - this.#from, next - this.#from + length - total);
      target.set(some, at + total);
      total += some.length;
    }
    return total;
  }

  close(): void {
    this.#held = new Uint8Array();
  }
}

/** A short piece of what lies in the output store, which nobody changes: read at once, without a promise. */
export class SmallSource implements ByteSource {
  readonly #piece: SplitPiece;
  readonly #path: string;

  constructor(piece: SplitPiece, path: string) {
    this.#piece = piece;
    this.#path = path;
  }

  read(target: Buffer, at: number, length: number, position: number): number {
    const { bytes, fileBytes } = inFile(this.#piece, () => readSmall(this.#path, position, Math.min(length, MAX_SMALL)));
    checkVersion(this.#piece, fileBytes, null);
    target.set(bytes, at);
    return bytes.length;
  }

  close(): void {}
}

class FileSource implements ByteSource {
  readonly #piece: SplitPiece;
  readonly #fd: number;

  constructor(piece: SplitPiece, path: string) {
    this.#piece = piece;
    this.#fd = inFile(piece, () => openSync(path, 'r'));
    try {
      this.check();
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

  check(): void {
    const stat = fstatSync(this.#fd);
    checkVersion(this.#piece, stat.size, versionOfFile(stat));
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function inFile<T>(piece: SplitPiece, open: () => T): T {
  try {
    return open();
  } catch (error) {
    const { code } = DafError.from(error, 'ERR_DAF_IO');
    throw new DafError(code, `input ${piece.name} cannot be opened`, { cause: error });
  }
}

/** @param version null where nothing tells it */
function checkVersion({ name, fileLength, version: before }: SplitPiece, bytes: number, version: string | null): void {
  const hint = 'do not change inputs while a job runs; submit it again';
  const code = before === null ? 'ERR_DAF_BAD_DATA' : 'ERR_DAF_INPUT_CHANGED';
  if (bytes !== fileLength) {
    throw new DafError(code, `input ${name} had ${fileLength} bytes when the job began and has ${bytes} now`, { hint });
  }
  if (before === null || version === null || before === version) return;
  const what = before.startsWith(TIME) ? 'was written to since the job began' : 'is another object than when the job began';
  throw new DafError(code, `input ${name} ${what}`, {
    hint: before.startsWith(TIME) ? `${hint}; copies on several machines must have the same time of modification` : hint,
  });
}
