import { closeSync, openSync, readSync } from 'node:fs';
import type { SplitPiece } from '../../core/contracts/job.js';
import { type FramePlace, type ReadAt, scanFrames } from '../../core/zstd/scan.js';
import type { InputFile } from './inputs.js';

type Part = Pick<SplitPiece, 'offset' | 'length' | 'unpackedOffset' | 'unpackedLength'>;

/**
 * A zstd file in runs of whole frames of at least `step` packed bytes: one where it has a single frame. A file that makes no sense is one
 * piece too: the task that reads it says what is wrong.
 */
export function zstdPieces({ path, bytes, name }: InputFile, step: number): Part[] {
  const fd = openSync(path, 'r');
  try {
    const read = (position: number, length: number): Buffer => {
      const chunk = Buffer.alloc(length);
      return chunk.subarray(0, readSync(fd, chunk, 0, length, position));
    };
    return zstdParts(read, bytes, name, step);
  } finally {
    closeSync(fd);
  }
}

/** As {@link zstdPieces}, of a file of `size` bytes that is read by `read`. */
export function zstdParts(read: ReadAt, size: number, name: string, step: number): Part[] {
  try {
    return cutFrames(scanFrames(read, size, name), step);
  } catch {
    return [{ offset: 0, length: size, unpackedOffset: 0, unpackedLength: null }];
  }
}

function cutFrames(frames: Iterable<FramePlace>, step: number): Part[] {
  const parts: Part[] = [];
  let part = emptyAt(0, 0);
  let unpacked = 0;
  // What follows a frame that does not say its size lies nobody knows where.
  let placeless = false;
  let last: number | null = 0;
  for (const { bytes, content } of frames) {
    placeless ||= last === null;
    last = content;
    part.length += bytes;
    part.unpackedLength = part.unpackedLength === null || content === null ? null : part.unpackedLength + content;
    unpacked += content ?? 0;
    if (part.length < step) continue;
    parts.push(part);
    part = emptyAt(part.offset + part.length, unpacked);
  }
  if (part.length > 0) parts.push(part);
  if (!placeless && Number.isSafeInteger(unpacked)) return parts;
  return parts.map((each) => ({ ...each, unpackedOffset: 0 }));
}

function emptyAt(offset: number, unpackedOffset: number): { -readonly [key in keyof Part]: Part[key] } {
  return { offset, length: 0, unpackedOffset, unpackedLength: 0 };
}
