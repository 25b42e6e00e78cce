import { DafError } from '../../../core/contracts/errors.js';
import type { Split, SplitPiece } from '../../../core/contracts/job.js';
import type { MapInput, RecordBlock, TaskContext } from '../../../core/contracts/stage.js';
import type { StepSpec } from '../../../core/contracts/step.js';
import type { Intake } from '../../../core/contracts/task.js';
import { CoverageSum } from '../../../core/coverage.js';
import { BlockBuffer, fileBlock, fixedBlocks, lineBlocks, NOTHING, packedBlock, packedBlocks, type Run } from './blocks.js';
import { type ByteSource, SmallSource } from './source.js';
import { unpackedLines } from './unpack.js';

export type OpenPiece = (piece: SplitPiece) => ByteSource | Promise<ByteSource>;

/** Map input that keeps count of itself, whoever consumes it. */
export interface MeteredInput extends MapInput {
  /** What has been read so far: of the pieces read to their end. */
  intake(): Intake;
}

/** What has been read so far. */
interface Meter {
  records: number;
  readonly coverage: CoverageSum;
}

/** A split as record blocks, with bounded memory; tells the context how far it is. */
export function openMapInput(split: Split, step: StepSpec, context: TaskContext, open: OpenPiece): MeteredInput {
  const meter: Meter = { records: 0, coverage: new CoverageSum() };
  return {
    blocks: () => blocks(split, step, context, open, meter),
    intake: () => ({ records: meter.records, coverage: meter.coverage.total }),
  };
}

async function* blocks(
  split: Split,
  step: StepSpec,
  context: TaskContext,
  open: OpenPiece,
  meter: Meter,
): AsyncGenerator<RecordBlock> {
  const { coverage } = meter;
  const buffer = BlockBuffer.take(Math.floor(step.memory.task / 2));
  const total = Math.max(1, sum(split.pieces));
  let before = 0;
  for (const piece of split.pieces) {
    try {
      const opened = openMarked(piece, step, open);
      const source = opened instanceof Promise ? await opened : opened;
      if (step.input.kind === 'packed' && source instanceof SmallSource) {
        // Generators within generators would cost a short task more than its records.
        const block = packedBlock(piece, source, buffer);
        context.checkCancelled();
        meter.records += block.count;
        if (block.count > 0) yield block;
        coverage.addRun(piece.name, piece.offset, piece.offset + piece.length);
        before += piece.length;
        context.progress(before / total);
        continue;
      }
      const piecewise = pieceBlocks(piece, step, source, buffer);
      try {
        let next = await piecewise.next();
        for (; next.done !== true; next = await piecewise.next()) {
          const block = next.value;
          context.checkCancelled();
          meter.records += block.count;
          yield block;
          context.progress(
            (before + Math.min(piece.length, Math.max(0, block.offset + block.data.length - piece.offset))) / total,
          );
        }
        coverage.addRun(piece.name, next.value.begin, next.value.end);
      } finally {
        await piecewise.return(NOTHING);
      }
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      // Whole files are inputs of their own: one that cannot be read is listed, and the others go on.
      context.refuse(piece.name, error);
      coverage.addRun(piece.name, piece.offset, piece.offset + piece.length);
    }
    before += piece.length;
  }
}

async function* pieceBlocks(
  piece: SplitPiece,
  { input: format, memory }: StepSpec,
  source: ByteSource,
  buffer: BlockBuffer,
): AsyncGenerator<RecordBlock, Run> {
  try {
    switch (format.kind) {
      case 'lines':
      case 'json':
        if (piece.compression !== null)
          return unchanged(source, yield* unpackedLines(piece, source, buffer, Math.floor(memory.task / 2)));
        return unchanged(source, yield* lineBlocks(piece, source, buffer));
      case 'fixed':
        return unchanged(source, yield* fixedBlocks(piece, source, buffer, format.bytes));
      case 'packed':
        return yield* packedBlocks(piece, source, buffer);
      case 'files':
        return yield* wholeFile(piece, source, buffer);
    }
  } finally {
    source.close();
  }
}

/** What was read of a source that is still what it was when it was opened. */
function unchanged<T>(source: ByteSource, read: T): T {
  source.check?.();
  return read;
}

/** A whole file that cannot be opened is one that cannot be read. */
function openMarked(piece: SplitPiece, { input }: StepSpec, open: OpenPiece): ByteSource | Promise<ByteSource> {
  return input.kind === 'files' ? marking((async () => open(piece))()) : open(piece);
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

async function* wholeFile(piece: SplitPiece, source: ByteSource, buffer: BlockBuffer): AsyncGenerator<RecordBlock, Run> {
  yield await marking(fileBlock(piece, source, buffer).then((block) => unchanged(source, block)));
  return { begin: 0, end: piece.fileLength };
}

function sum(pieces: readonly SplitPiece[]): number {
  return pieces.reduce((total, piece) => total + piece.length, 0);
}
