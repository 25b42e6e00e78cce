import { closeSync, openSync, readSync } from 'node:fs';
import type { SplitPiece } from '../../core/contracts/job.js';
import { type FramePlace, scanFrames } from '../../core/zstd/scan.js';
import type { InputFile } from './inputs.js';

type Part = Pick<SplitPiece, 'offset' | 'length' | 'unpackedOffset'>;

/**
 * A zstd file in runs of whole frames of at least `step` packed bytes: one where it has a single frame. A file that makes no sense is one
 * piece too: the task that reads it says what is wrong.
 */
export function zstdPieces(file: InputFile, step: number): Part[] {
  const frames = framesOf(file);
  const sized = frames.slice(0, -1).every(({ content }) => content !== null);
  const parts: Part[] = [];
  let offset = 0;
  let length = 0;
  let unpacked = 0;
  let unpackedOffset = 0;
  for (const [i, frame] of frames.entries()) {
    length += frame.bytes;
    unpacked += frame.content ?? 0;
    if (length < step && i < frames.length - 1) continue;
    parts.push({ offset, length, unpackedOffset: sized ? unpackedOffset : 0 });
    offset += length;
    length = 0;
    unpackedOffset = unpacked;
  }
  return parts;
}

function framesOf({ path, bytes, name }: InputFile): FramePlace[] {
  let fd: number | null = null;
  try {
    const opened = openSync(path, 'r');
    fd = opened;
    const read = (position: number, length: number): Buffer => {
      const chunk = Buffer.alloc(length);
      return chunk.subarray(0, readSync(opened, chunk, 0, length, position));
    };
    return scanFrames(read, bytes, name);
  } catch {
    return [{ offset: 0, bytes, content: null }];
  } finally {
    if (fd !== null) closeSync(fd);
  }
}
