import { DafError } from '../../../core/contracts/errors.js';
import type { InputFormat, Split, SplitPiece } from '../../../core/contracts/job.js';
import type { MapInput, RecordBlock, TaskContext } from '../../../core/contracts/stage.js';
import type { StepSpec } from '../../../core/contracts/step.js';
import { BlockBuffer, fileBlocks, fixedBlocks, lineBlocks, packedBlocks } from './blocks.js';
import { unpackedLines } from './gunzip.js';
import type { ByteSource } from './source.js';

export type OpenPiece = (piece: SplitPiece) => Promise<ByteSource>;

/** A split as record blocks, with bounded memory; tells the context how far it is. */
export function openMapInput(split: Split, step: StepSpec, context: TaskContext, open: OpenPiece): MapInput {
  return { blocks: () => blocks(split, step, context, open) };
}

async function* blocks(split: Split, step: StepSpec, context: TaskContext, open: OpenPiece): AsyncGenerator<RecordBlock> {
  const buffer = BlockBuffer.take(Math.floor(step.memory.task / 2));
  const total = Math.max(1, sum(split.pieces));
  let before = 0;
  for (const piece of split.pieces) {
    try {
      for await (const block of pieceBlocks(piece, step.input, open, buffer)) {
        context.checkCancelled();
        yield block;
        context.progress((before + Math.min(piece.length, Math.max(0, block.offset + block.data.length - piece.offset))) / total);
      }
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      // Whole files are inputs of their own: one that cannot be read is listed, and the others go on.
      context.refuse(piece.name, error);
    }
    before += piece.length;
  }
}

async function* pieceBlocks(
  piece: SplitPiece,
  format: InputFormat,
  open: OpenPiece,
  buffer: BlockBuffer,
): AsyncGenerator<RecordBlock> {
  const source = format.kind === 'files' ? await marking(open(piece)) : await open(piece);
  try {
    switch (format.kind) {
      case 'lines':
      case 'json':
        if (piece.compression === 'gzip') yield* unpackedLines(piece, source, buffer);
        else yield* lineBlocks(piece, source, buffer);
        break;
      case 'fixed':
        yield* fixedBlocks(piece, source, buffer, format.bytes);
        break;
      case 'packed':
        yield* packedBlocks(piece, source, buffer);
        break;
      case 'files':
        yield* wholeFile(piece, source, buffer);
        break;
    }
  } finally {
    source.close();
  }
}

/** Errors of the file itself, told apart from those of the code that consumes the blocks. */
const unreadable = new WeakSet<DafError>();

function isUnreadable(error: unknown): boolean {
  return DafError.is(error) && unreadable.has(error);
}

/** Marks what the promise rejects with. */
async function marking<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    const marked = DafError.from(error, 'ERR_DAF_IO');
    unreadable.add(marked);
    throw marked;
  }
}

async function* wholeFile(piece: SplitPiece, source: ByteSource, buffer: BlockBuffer): AsyncGenerator<RecordBlock> {
  const step = await marking(fileBlocks(piece, source, buffer).next());
  if (step.done !== true) yield step.value;
}

function sum(pieces: readonly SplitPiece[]): number {
  return pieces.reduce((total, piece) => total + piece.length, 0);
}
