import type { SplitPiece } from '../../../core/contracts/job.js';
import type { RecordBlock } from '../../../core/contracts/stage.js';
import { type BlockBuffer, lineBlocks, type Run } from './blocks.js';
import { gunzipped } from './gunzip.js';
import type { ByteSource } from './source.js';
import { OwnLines, unzstd } from './unzstd.js';

/** What a packed file unpacks to, from front to end. A chunk is borrowed until the next one is asked for. */
export type Unpacked = AsyncGenerator<Uint8Array, void>;

/**
 * The lines of a packed piece. Offsets count unpacked bytes; of a file that was split where its frames do not tell their sizes, from the
 * first frame of the piece on.
 * @param memory bytes that unpacking may take
 * @throws DafError ERR_DAF_BAD_DATA for a damaged one, ERR_DAF_MEMORY_LIMIT
 */
export async function* unpackedLines(
  piece: SplitPiece,
  packed: ByteSource,
  buffer: BlockBuffer,
  memory: number,
): AsyncGenerator<RecordBlock, Run> {
  const unbounded = { ...piece, offset: 0, length: Number.MAX_SAFE_INTEGER, fileLength: Number.MAX_SAFE_INTEGER };
  const own = piece.compression === 'zstd' ? new OwnLines(piece, memory) : null;
  const source = new UnpackedSource(own === null ? gunzipped(piece, packed) : unzstd(own, piece, packed));
  try {
    const lines = lineBlocks(unbounded, source, buffer);
    for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
      const block = next.value;
      const skipped = own?.skipped ?? 0;
      yield { ...block, offset: block.offset + skipped + piece.unpackedOffset, at: block.at + skipped };
    }
    return { begin: piece.offset, end: piece.offset + piece.length };
  } finally {
    await source.end();
  }
}

/** Chunks as a source that is read from front to end. */
class UnpackedSource implements ByteSource {
  readonly #chunks: Unpacked;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(chunks: Unpacked) {
    this.#chunks = chunks;
  }

  async read(target: Buffer, at: number, length: number): Promise<number> {
    let done = 0;
    while (done < length) {
      if (this.#rest.length === 0) {
        const next = await this.#chunks.next();
        if (next.done === true) break;
        this.#rest = next.value;
      }
      const taken = Math.min(length - done, this.#rest.length);
      target.set(this.#rest.subarray(0, taken), at + done);
      this.#rest = this.#rest.subarray(taken);
      done += taken;
    }
    return done;
  }

  close(): void {}

  /** Gives back what unpacking took. */
  async end(): Promise<void> {
    await this.#chunks.return();
  }
}
