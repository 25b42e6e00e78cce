import { BLOCK_HEADER_BYTES, blockHeader, CHECKSUM_BYTES, type FrameHeader, frameHeader, MAX_HEADER_BYTES } from './frames.js';

// The seekable format of zstd's contrib/seekable_format: a skippable frame at the end lists the frames before it.
const SEEK_TABLE_MAGIC = 0x184d2a5e;
const SEEKABLE_MAGIC = 0x8f92eab1;
const FOOTER_BYTES = 9;
const TABLE_HEADER_BYTES = 8;
const ENTRIES_AT_A_TIME = 4096;
/** A frame header of one byte of size or window, and an empty block. */
const LEAST_FRAME_BYTES = 9;

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
 * The frames of a zstd file, found without unpacking it: from its seek table where it has one that agrees with what stands where its frames
 * are said to begin, else from block to block. What the table says beyond that, whoever unpacks has to check.
 * @param size of the file
 * @throws DafError ERR_DAF_BAD_DATA where the structure is damaged, ERR_DAF_UNSUPPORTED for a dictionary
 */
export function* scanFrames(read: ReadAt, size: number, name: string): Generator<FramePlace, void> {
  const table = SeekTable.find(read, size);
  if (table === null || !agrees(table, read, name)) yield* fromBlocks(read, size, name);
  else {
    yield* table.frames();
    // The table itself belongs to the last piece, so that every byte of the file is somebody's.
    yield { offset: table.offset, bytes: size - table.offset, content: 0 };
  }
}

/** Nothing of it is believed yet: it may be another file's, or a lie. Read a piece at a time, since it may be as large as its file. */
class SeekTable {
  /** Of the table in its file. */
  readonly offset: number;
  readonly #read: ReadAt;
  readonly #count: number;
  readonly #entryBytes: number;

  private constructor(read: ReadAt, offset: number, count: number, entryBytes: number) {
    this.#read = read;
    this.offset = offset;
    this.#count = count;
    this.#entryBytes = entryBytes;
  }

  static find(read: ReadAt, size: number): SeekTable | null {
    const footer = size < FOOTER_BYTES ? null : read(size - FOOTER_BYTES, FOOTER_BYTES);
    if (footer === null || footer.length < FOOTER_BYTES || footer.readUInt32LE(5) !== SEEKABLE_MAGIC) return null;
    const count = footer.readUInt32LE(0);
    const entryBytes = (footer[4]! & 0x80) === 0 ? 8 : 12;
    const tableBytes = TABLE_HEADER_BYTES + count * entryBytes + FOOTER_BYTES;
    if (tableBytes > size) return null;
    const header = read(size - tableBytes, TABLE_HEADER_BYTES);
    if (header.length < TABLE_HEADER_BYTES || header.readUInt32LE(0) !== SEEK_TABLE_MAGIC) return null;
    if (header.readUInt32LE(4) !== tableBytes - TABLE_HEADER_BYTES) return null;
    return new SeekTable(read, size - tableBytes, count, entryBytes);
  }

  *frames(): Generator<FramePlace & { readonly content: number }, void> {
    let offset = 0;
    for (let first = 0; first < this.#count; first += ENTRIES_AT_A_TIME) {
      const count = Math.min(ENTRIES_AT_A_TIME, this.#count - first);
      const at = this.offset + TABLE_HEADER_BYTES + first * this.#entryBytes;
      const entries = this.#read(at, count * this.#entryBytes);
      for (let i = 0; i + this.#entryBytes <= entries.length; i += this.#entryBytes) {
        const bytes = entries.readUInt32LE(i);
        yield { offset, bytes, content: entries.readUInt32LE(i + 4) };
        offset += bytes;
      }
    }
  }
}

/** A frame begins wherever the table says so, it is as large as its header says if that says anything, and the last one ends at the table. */
function agrees(table: SeekTable, read: ReadAt, name: string): boolean {
  let end = 0;
  for (const { offset, bytes, content } of table.frames()) {
    end = offset + bytes;
    if (bytes < LEAST_FRAME_BYTES || end > table.offset) return false;
    const header = headerAt(read, offset, name);
    if (header === null || (header.kind === 'frame' && header.content !== null && header.content !== content)) return false;
  }
  return end === table.offset;
}

function headerAt(read: ReadAt, offset: number, name: string): FrameHeader | null {
  try {
    return frameHeader(read(offset, MAX_HEADER_BYTES), name);
  } catch {
    return null;
  }
}

function* fromBlocks(read: ReadAt, size: number, name: string): Generator<FramePlace, void> {
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
    yield { offset, bytes: Math.min(at, size) - offset, content: header.content };
    offset = at;
  }
  // What is behind the last frame, be it skippable or cut off, is for whoever reads that: it will say what is wrong.
  if (offset < size) yield { offset, bytes: size - offset, content: null };
}
