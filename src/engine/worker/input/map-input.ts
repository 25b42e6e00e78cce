import { DafError } from '../../../core/contracts/errors.js';
import type { JobSpec, Split, SplitPiece } from '../../../core/contracts/job.js';
import type { MapInput, RecordBlock, TaskContext } from '../../../core/contracts/stage.js';
import type { BlobStore } from '../../../core/contracts/stores.js';
import { BlockBuffer, fileBlocks, fixedBlocks, lineBlocks, packedBlocks } from './blocks.js';
import { type ByteSource, openSource } from './source.js';

/** A split as record blocks, with bounded memory; tells the context how far it is. */
export function openMapInput(split: Split, spec: JobSpec, store: BlobStore, context: TaskContext): MapInput {
  return { blocks: () => blocks(split, spec, store, context) };
}

async function* blocks(split: Split, spec: JobSpec, store: BlobStore, context: TaskContext): AsyncGenerator<RecordBlock> {
  const buffer = BlockBuffer.take(Math.floor(spec.memory.task / 2));
  const total = Math.max(1, sum(split.pieces));
  let before = 0;
  for (const piece of split.pieces) {
    try {
      for await (const block of pieceBlocks(piece, spec, store, buffer)) {
        context.checkCancelled();
        yield block;
        context.progress((before + Math.min(piece.length, Math.max(0, block.offset + block.data.length - piece.offset))) / total);
      }
    } catch (error) {
      if (spec.input.kind !== 'files' || !isUnreadable(error)) throw error;
      // Whole files are inputs of their own: one that cannot be read is listed, and the others go on.
      context.refuse(piece.name, error);
    }
    before += piece.length;
  }
}

async function* pieceBlocks(
  piece: SplitPiece,
  spec: JobSpec,
  store: BlobStore,
  buffer: BlockBuffer,
): AsyncGenerator<RecordBlock> {
  const source = await openPiece(piece, store);
  try {
    switch (spec.input.kind) {
      case 'lines':
        yield* lineBlocks(piece, source, buffer);
        break;
      case 'fixed':
        yield* fixedBlocks(piece, source, buffer, spec.input.bytes);
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

function markUnreadable(error: unknown): DafError {
  const marked = DafError.from(error, 'ERR_DAF_IO');
  unreadable.add(marked);
  return marked;
}

async function openPiece(piece: SplitPiece, store: BlobStore): Promise<ByteSource> {
  try {
    return await openSource(piece, store);
  } catch (error) {
    throw markUnreadable(error);
  }
}

async function* wholeFile(piece: SplitPiece, source: ByteSource, buffer: BlockBuffer): AsyncGenerator<RecordBlock> {
  const reading = fileBlocks(piece, source, buffer);
  let step: IteratorResult<RecordBlock>;
  try {
    step = await reading.next();
  } catch (error) {
    throw markUnreadable(error);
  }
  if (step.done !== true) yield step.value;
}

function sum(pieces: readonly SplitPiece[]): number {
  return pieces.reduce((total, piece) => total + piece.length, 0);
}
