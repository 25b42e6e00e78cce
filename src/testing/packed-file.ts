import type { SplitPiece } from '../core/contracts/job.js';
import { zstdParts } from '../engine/cluster/zstd-pieces.js';
import { BlockBuffer } from '../engine/worker/input/blocks.js';
import type { ByteSource } from '../engine/worker/input/source.js';
import { unpackedLines } from '../engine/worker/input/unpack.js';

export interface Lines {
  readonly lines: string[];
  /** Of each line in what the file unpacks to. */
  readonly offsets: number[];
}

export interface ReadOptions {
  readonly compression: 'gzip' | 'zstd';
  /** Packed bytes of a piece. */
  readonly step: number;
  /** Bytes that unpacking may take, and a line. */
  readonly memory: number;
}

/** The lines of a packed file, read in the pieces that tasks would get of it. */
export async function readPacked(file: Buffer, { compression, step, memory }: ReadOptions): Promise<Lines> {
  const whole = { offset: 0, length: file.length, unpackedOffset: 0, unpackedLength: null };
  const read = (position: number, length: number): Buffer => file.subarray(position, position + length);
  const parts = compression === 'zstd' && file.length > step ? zstdParts(read, file.length, 'in', step) : [whole];
  let end = 0;
  for (const { offset, length } of parts) {
    if (offset !== end || length < Math.min(1, file.length))
      throw new Error(`a piece of ${length} bytes at ${offset}, after ${end}`);
    end += length;
  }
  if (end !== file.length) throw new Error(`pieces up to ${end} of ${file.length} bytes`);
  const found: Lines = { lines: [], offsets: [] };
  const buffer = BlockBuffer.take(memory);
  const about = { name: 'in', path: '', stored: false, fileLength: file.length, version: null, split: 0, at: 0, compression };
  for (const part of parts) await readPiece({ ...about, ...part }, file, buffer, memory, found);
  return found;
}

async function readPiece(piece: SplitPiece, file: Buffer, buffer: BlockBuffer, memory: number, found: Lines): Promise<void> {
  const source: ByteSource = {
    read: (target, at, length, position) => file.copy(target, at, position, Math.min(file.length, position + length)),
    close() {},
  };
  for await (const { data, count, values, offset } of unpackedLines(piece, source, buffer, memory)) {
    for (let i = 0; i < count; i++) {
      found.lines.push(data.toString('latin1', values[2 * i]!, values[2 * i]! + values[2 * i + 1]!));
      found.offsets.push(offset + values[2 * i]!);
    }
  }
}
