import { BLOCK_HEADER_BYTES, blockHeader, CHECKSUM_BYTES, frameHeader, MAX_HEADER_BYTES } from './frames.js';

// The seekable format of zstd's contrib/seekable_format: a skippable frame at the end lists the frames before it.
const SEEK_TABLE_MAGIC = 0x184d2a5e;
const SEEKABLE_MAGIC = 0x8f92eab1;
const FOOTER_BYTES = 9;

/** A frame of a file, together with skippable ones before it. */
export interface FramePlace {
  readonly offset: number;
  readonly bytes: number;
  /** Unpacked; null when it does not say. */
  readonly content: number | null;
}

/** Reads up to `length` bytes at `position`; fewer only at the end of the file. */
export type ReadAt = (position: number, length: number) => Buffer;

/**
 * The frames of a zstd file, found without unpacking it: from its seek table where it has one, else from block to block.
 * @param size of the file
 * @throws DafError ERR_DAF_BAD_DATA where the structure is damaged, ERR_DAF_UNSUPPORTED for a dictionary
 */
export function scanFrames(read: ReadAt, size: number, name: string): FramePlace[] {
  return fromSeekTable(read, size) ?? fromBlocks(read, size, name);
}

function fromSeekTable(read: ReadAt, size: number): FramePlace[] | null {
  const footer = size < FOOTER_BYTES ? null : read(size - FOOTER_BYTES, FOOTER_BYTES);
  if (footer === null || footer.length < FOOTER_BYTES || footer.readUInt32LE(5) !== SEEKABLE_MAGIC) return null;
  const count = footer.readUInt32LE(0);
  const entryBytes = (footer[4]! & 0x80) === 0 ? 8 : 12;
  const tableBytes = 8 + count * entryBytes + FOOTER_BYTES;
  if (tableBytes > size) return null;
  const table = read(size - tableBytes, tableBytes);
  if (table.readUInt32LE(0) !== SEEK_TABLE_MAGIC || table.readUInt32LE(4) !== tableBytes - 8) return null;
  const frames: FramePlace[] = [];
  let offset = 0;
  for (let i = 0; i < count; i++) {
    const bytes = table.readUInt32LE(8 + i * entryBytes);
    frames.push({ offset, bytes, content: table.readUInt32LE(12 + i * entryBytes) });
    offset += bytes;
  }
  if (offset !== size - tableBytes) return null; // a table of another file
  // The table itself belongs to the last piece, so that every byte of the file is somebody's.
  frames.push({ offset, bytes: tableBytes, content: 0 });
  return frames;
}

function fromBlocks(read: ReadAt, size: number, name: string): FramePlace[] {
  const frames: FramePlace[] = [];
  let offset = 0;
  for (let at = 0; at < size; ) {
    const header = frameHeader(read(at, MAX_HEADER_BYTES), `${name} at byte ${at}`);
    if (header === null) break;
    at += header.bytes;
    if (header.kind === 'skippable') {
      at += header.length;
      continue;
    }
    for (let last = false; !last; ) {
      const bytes = read(at, BLOCK_HEADER_BYTES);
      if (bytes.length < BLOCK_HEADER_BYTES) break;
      const block = blockHeader(bytes, `${name} at byte ${at}`);
      at += BLOCK_HEADER_BYTES + block.bytes;
      last = block.last;
    }
    if (header.checksum) at += CHECKSUM_BYTES;
    frames.push({ offset, bytes: Math.min(at, size) - offset, content: header.content });
    offset = at;
  }
  // What is behind the last frame, be it skippable or cut off, is for whoever reads that: it will say what is wrong.
  if (offset < size) frames.push({ offset, bytes: size - offset, content: null });
  return frames;
}
