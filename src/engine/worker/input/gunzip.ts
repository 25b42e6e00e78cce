import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DafError } from '../../../core/contracts/errors.js';
import type { SplitPiece } from '../../../core/contracts/job.js';
import type { RecordBlock } from '../../../core/contracts/stage.js';
import { type BlockBuffer, lineBlocks, type Run } from './blocks.js';
import type { ByteSource } from './source.js';

const CHUNK = 256 << 10;

/** The lines of a gzip file (of all its members); offsets count unpacked bytes. @throws DafError ERR_DAF_BAD_DATA for a damaged one */
export async function* unpackedLines(
  piece: SplitPiece,
  packed: ByteSource,
  buffer: BlockBuffer,
): AsyncGenerator<RecordBlock, Run> {
  const unbounded = { ...piece, length: Number.MAX_SAFE_INTEGER, fileLength: Number.MAX_SAFE_INTEGER };
  const source = new GunzipSource(piece, packed);
  try {
    yield* lineBlocks(unbounded, source, buffer);
    return { begin: 0, end: piece.fileLength };
  } finally {
    source.close();
  }
}

/** Reads what a file unpacks to, from front to end. */
class GunzipSource implements ByteSource {
  readonly #name: string;
  readonly #stream: Readable;
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(piece: SplitPiece, packed: ByteSource) {
    this.#name = piece.name;
    const gunzip = createGunzip({ chunkSize: CHUNK });
    const bytes = Readable.from(packedChunks(piece, packed), { objectMode: false });
    bytes.on('error', (error) => gunzip.destroy(error));
    this.#stream = bytes.pipe(gunzip);
    this.#chunks = this.#stream[Symbol.asyncIterator]();
  }

  async read(target: Buffer, at: number, length: number): Promise<number> {
    let done = 0;
    while (done < length) {
      if (this.#rest.length === 0) {
        const next = await this.#next();
        if (next === null) break;
        this.#rest = next;
      }
      const taken = Math.min(length - done, this.#rest.length);
      this.#rest.copy(target, at + done, 0, taken);
      this.#rest = this.#rest.subarray(taken);
      done += taken;
    }
    return done;
  }

  close(): void {
    this.#stream.destroy();
  }

  async #next(): Promise<Buffer | null> {
    try {
      const { done, value } = await this.#chunks.next();
      return done === true ? null : value;
    } catch (error) {
      if (DafError.is(error)) throw error;
      throw new DafError('ERR_DAF_BAD_DATA', `input ${this.#name} is no whole gzip file: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}

async function* packedChunks(piece: SplitPiece, packed: ByteSource): AsyncGenerator<Buffer> {
  for (let at = 0; at < piece.fileLength; ) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, piece.fileLength - at));
    const got = await packed.read(chunk, 0, chunk.length, at);
    if (got === 0) return;
    at += got;
    yield chunk.subarray(0, got);
  }
}
