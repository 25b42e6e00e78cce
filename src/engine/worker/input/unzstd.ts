import type { SplitPiece } from '../../../core/contracts/job.js';
import { badZstd, FrameWalker } from '../../../core/zstd/frames.js';
import type { ByteSource } from './source.js';
import type { Unpacked } from './unpack.js';
import { loadZstd, unpackFrames, ZstdStopped } from './zstd-stream.js';

// Packed bytes at a time. What the last piece of a file reads too far ahead is unpacked for nothing.
const CHUNK = 64 << 10;
const NEWLINE = 10;
/** More than this zstd refuses by itself. */
const MAX_WINDOW = 128 << 20;

/**
 * Which bytes of a file in several frames belong to a piece of it. Nobody knows whether a frame ends with a line unless he unpacks it, so a
 * piece leaves out what stands before its first line break, unless it is the first, and goes on past its end up to the next one.
 */
export class OwnLines {
  readonly maxWindow: number;
  readonly #first: boolean;
  #skipped = 0;

  constructor(piece: SplitPiece, memory: number) {
    this.maxWindow = Math.min(MAX_WINDOW, memory);
    this.#first = piece.offset === 0;
  }

  /** Unpacked bytes that were left out so far. */
  get skipped(): number {
    return this.#skipped;
  }

  /** @param chunks with `beyond` true for what lies behind the piece */
  async *of(chunks: AsyncIterable<{ readonly bytes: Uint8Array; readonly beyond: boolean }>): Unpacked {
    let skipping = !this.#first;
    for await (const { bytes, beyond } of chunks) {
      if (skipping && beyond) return; // no line begins here
      let from = 0;
      if (skipping) {
        const newline = bytes.indexOf(NEWLINE);
        from = newline < 0 ? bytes.length : newline + 1;
        this.#skipped += from;
        skipping = newline < 0;
      }
      const end = beyond ? bytes.indexOf(NEWLINE) : -1;
      if (from < bytes.length) yield end < 0 ? bytes.subarray(from) : bytes.subarray(from, end + 1);
      if (end >= 0) return;
    }
  }
}

/**
 * What a piece of a zstd file unpacks to: whole frames, in whole lines.
 * @throws DafError ERR_DAF_BAD_DATA with the place, ERR_DAF_MEMORY_LIMIT for a window that is too large
 */
export async function* unzstd(own: OwnLines, piece: SplitPiece, packed: ByteSource): Unpacked {
  const walker = new FrameWalker(`input ${piece.name}`, piece.offset, own.maxWindow);
  yield* own.of(frames(await loadZstd(), piece, packed, walker));
}

async function* frames(
  zstd: Awaited<ReturnType<typeof loadZstd>>,
  piece: SplitPiece,
  packed: ByteSource,
  walker: FrameWalker,
): AsyncGenerator<{ readonly bytes: Uint8Array; readonly beyond: boolean }> {
  const end = piece.offset + piece.length;
  let at = piece.offset;
  let waiting: Buffer | null = null;
  let beyond = false;
  // The decoder takes its input synchronously, a chunk for each output at most: one is always read ahead.
  function* input(): Generator<Uint8Array> {
    while (waiting !== null) {
      const chunk = waiting;
      waiting = null;
      // It has put out all of a frame before it asks for more than the frame: what comes now is behind the piece.
      beyond = at > end;
      yield chunk;
    }
  }
  const readAhead = async (): Promise<void> => {
    const last = at < end ? end : piece.fileLength;
    if (waiting !== null || at >= last) return;
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, last - at));
    const got = await packed.read(chunk, 0, chunk.length, at);
    walker.take(chunk.subarray(0, got));
    at += got;
    if (at >= piece.fileLength || got < chunk.length) walker.end();
    else if (at === end) walker.checkBorder();
    if (got > 0) waiting = chunk.subarray(0, got);
  };
  const output = unpackFrames(zstd, input());
  let unpacked = 0;
  let measured = false;
  try {
    for (;;) {
      await readAhead();
      const bytes = step(output, piece.name, at);
      // All of the piece is out when something behind it comes, or nothing does.
      if (!measured && (bytes === null || beyond)) {
        measured = true;
        checkLength(piece, unpacked);
      }
      if (bytes === null) return;
      if (bytes.length > 0) yield { bytes, beyond };
      if (!beyond) unpacked += bytes.length;
    }
  } finally {
    output.return(undefined);
  }
}

function checkLength({ name, offset, unpackedLength }: SplitPiece, unpacked: number): void {
  if (unpackedLength === null || unpacked === unpackedLength) return;
  throw badZstd(
    `input ${name}`,
    `the frames from byte ${offset} on unpack to ${unpacked} bytes, and were said to have ${unpackedLength}: its seek table lies`,
  );
}

/** @param at in the file, up to where it was read */
function step(output: Generator<Uint8Array>, name: string, at: number): Uint8Array | null {
  try {
    const next = output.next();
    return next.done === true ? null : next.value;
  } catch (error) {
    if (!(error instanceof ZstdStopped)) throw error;
    throw badZstd(
      `input ${name}`,
      error.why === 'damaged' ? `the data before byte ${at} are damaged` : 'it ends within a frame',
      error,
    );
  }
}
