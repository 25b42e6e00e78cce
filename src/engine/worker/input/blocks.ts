import { addon } from '../../../core/addon/index.js';
import { DafError } from '../../../core/contracts/errors.js';
import type { SplitPiece } from '../../../core/contracts/job.js';
import { KEY_MASK, MORE, PACKED_HEADER, PIECE, VALUE_MASK } from '../../../core/contracts/record.js';
import type { RecordBlock } from '../../../core/contracts/stage.js';
import type { ByteSource, SmallSource } from './source.js';

/** Read at a time. Larger blocks gain nothing and leave the cache. */
const CHUNK = 512 << 10;
const MAX_RECORDS = 16 << 10;
const NEWLINE = 10;
const EMPTY = new Uint8Array(0);

/** The bytes of a file that the records of a piece lie in, line ends included: what a reader of blocks returns at its end. */
export interface Run {
  readonly begin: number;
  readonly end: number;
}

export const NOTHING: Run = { begin: 0, end: 0 };

let last: BlockBuffer | null = null;

/** The buffers of a task's readers, reused from piece to piece. */
export class BlockBuffer {
  /** A record longer than this fails the task instead of the machine. */
  readonly #limit: number;
  readonly spans = new Uint32Array(2 * MAX_RECORDS);
  readonly keySpans = new Uint32Array(2 * MAX_RECORDS);
  bytes = Buffer.allocUnsafeSlow(CHUNK);

  constructor(limit: number) {
    this.#limit = Math.max(limit, CHUNK);
  }

  /** The buffer of the task before, when it serves: a thread runs one task at a time, and short tasks cost less than new buffers. */
  static take(limit: number): BlockBuffer {
    if (last === null || last.#limit !== Math.max(limit, CHUNK) || last.bytes.length !== CHUNK) last = new BlockBuffer(limit);
    return last;
  }

  /** Makes room for at least `bytes`, keeping the first `keep`. */
  grow(bytes: number, keep: number, what: string): void {
    if (bytes <= this.bytes.length) return;
    if (bytes > this.#limit) {
      throw new DafError('ERR_DAF_MEMORY_LIMIT', `${what} takes more than ${this.#limit} bytes, the memory of this task`, {
        hint: "raise the job's memory.task, and --memory with it",
      });
    }
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#limit, Math.max(bytes, this.bytes.length * 2)));
    this.bytes.copy(larger, 0, 0, keep);
    this.bytes = larger;
  }
}

/** Where a block comes from whose first byte is at `offset` of its file. */
function origin(piece: SplitPiece, offset: number): Pick<RecordBlock, 'source' | 'offset' | 'split' | 'at'> {
  return { source: piece.name, offset, split: piece.split, at: piece.at + offset - piece.offset };
}

/**
 * Lines whose first byte lies in the piece, the last one read past its end where necessary. A piece that does not begin at 0 looks at the
 * byte before it: unless that is a newline, its first line belongs to the piece before.
 */
export async function* lineBlocks(piece: SplitPiece, source: ByteSource, buffer: BlockBuffer): AsyncGenerator<RecordBlock, Run> {
  const { splitLines } = addon();
  const end = piece.offset + piece.length;
  let begin = piece.offset;
  let base = Math.max(0, piece.offset - 1);
  let skipping = piece.offset > 0;
  let filled = 0;
  for (let eof = false; !eof; ) {
    const wanted = Math.min(buffer.bytes.length - filled, Math.max(end - base - filled, 64 << 10));
    const got = await source.read(buffer.bytes, filled, wanted, base + filled);
    filled += got;
    eof = got < wanted || base + filled >= piece.fileLength;
    let from = 0;
    if (skipping) {
      const newline = buffer.bytes.subarray(0, filled).indexOf(NEWLINE);
      if (newline < 0) {
        base += filled;
        filled = 0;
        continue;
      }
      from = newline + 1;
      begin = base + from;
      skipping = false;
    }
    for (;;) {
      if (base + from >= end) return begin < end ? { begin, end: base + from } : NOTHING;
      const data = buffer.bytes.subarray(from, filled);
      const { lines, consumed } = splitLines(data, eof, buffer.spans);
      const count = linesBefore(buffer.spans, lines, end - base - from);
      if (count > 0) {
        yield { ...origin(piece, base + from), data, count, values: buffer.spans, keys: null, key: EMPTY };
      }
      if (count < lines) return { begin, end: base + from + buffer.spans[2 * count]! };
      if (lines === 0) break;
      from += consumed;
    }
    buffer.bytes.copyWithin(0, from, filled);
    base += from;
    filled -= from;
    if (filled === buffer.bytes.length) buffer.grow(filled * 2, filled, `the line at byte ${base} of ${piece.name}`);
  }
  return skipping ? NOTHING : { begin, end: base };
}

/** How many of the first `count` spans begin before `limit`; they ascend. */
function linesBefore(spans: Uint32Array, count: number, limit: number): number {
  if (count === 0 || spans[2 * (count - 1)]! < limit) return count;
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[2 * middle]! < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Records of equal size. Pieces are cut at record borders when the splits are made. */
export async function* fixedBlocks(
  piece: SplitPiece,
  source: ByteSource,
  buffer: BlockBuffer,
  record: number,
): AsyncGenerator<RecordBlock, Run> {
  if (piece.length % record !== 0) {
    throw new DafError(
      'ERR_DAF_BAD_DATA',
      `${piece.name}: ${piece.fileLength} bytes are not a whole number of records of ${record} bytes`,
    );
  }
  buffer.grow(record, 0, `a record of ${piece.name}`);
  const perBlock = Math.min(MAX_RECORDS, Math.floor(buffer.bytes.length / record));
  for (let i = 0; i < perBlock; i++) {
    buffer.spans[2 * i] = i * record;
    buffer.spans[2 * i + 1] = record;
  }
  for (let at = 0; at < piece.length; ) {
    const wanted = Math.min(perBlock * record, piece.length - at);
    await readExactly(source, buffer.bytes, 0, wanted, piece.offset + at, piece);
    yield {
      ...origin(piece, piece.offset + at),
      data: buffer.bytes.subarray(0, wanted),
      count: wanted / record,
      values: buffer.spans,
      keys: null,
      key: EMPTY,
    };
    at += wanted;
  }
  return { begin: piece.offset, end: piece.offset + piece.length };
}

/** The whole file as one record under its name. */
export async function fileBlock(piece: SplitPiece, source: ByteSource, buffer: BlockBuffer): Promise<RecordBlock> {
  buffer.grow(piece.fileLength, 0, `file ${piece.name}`);
  await readExactly(source, buffer.bytes, 0, piece.fileLength, 0, piece);
  const data = buffer.bytes.subarray(0, piece.fileLength);
  return {
    ...origin(piece, 0),
    data,
    count: 1,
    values: Uint32Array.of(0, piece.fileLength),
    keys: null,
    key: Buffer.from(piece.name),
  };
}

/** Packed records (contracts/record.ts); a value that lies in pieces is joined. Pieces of splits end at record borders. */
export async function* packedBlocks(
  piece: SplitPiece,
  source: ByteSource,
  buffer: BlockBuffer,
): AsyncGenerator<RecordBlock, Run> {
  let filled = 0;
  let base = piece.offset;
  const end = piece.offset + piece.length;
  while (base + filled < end || filled > 0) {
    const wanted = Math.min(buffer.bytes.length - filled, end - base - filled);
    await readExactly(source, buffer.bytes, filled, wanted, base + filled, piece);
    filled += wanted;
    const { count, consumed, need } = parsePacked(buffer, filled, piece);
    if (count > 0) {
      yield {
        ...origin(piece, base),
        data: buffer.bytes.subarray(0, consumed),
        count,
        values: buffer.spans,
        keys: buffer.keySpans,
        key: EMPTY,
      };
    } else if (base + filled >= end) {
      throw new DafError('ERR_DAF_BAD_DATA', `${piece.name}: a packed record is cut off at byte ${base}`);
    } else {
      buffer.grow(Math.max(need, filled + 1), filled, `the record at byte ${base} of ${piece.name}`);
      continue;
    }
    buffer.bytes.copyWithin(0, consumed, filled);
    base += consumed;
    filled -= consumed;
  }
  return { begin: piece.offset, end: base };
}

/** All packed records of a short piece, which fits into the buffer. */
export function packedBlock(piece: SplitPiece, source: SmallSource, buffer: BlockBuffer): RecordBlock {
  const { length, offset } = piece;
  const got = length === 0 ? 0 : source.read(buffer.bytes, 0, length, offset);
  if (got !== length) throw tooShort(piece, offset + got);
  const { count, consumed } = parsePacked(buffer, length, piece);
  if (consumed !== length) {
    throw new DafError('ERR_DAF_BAD_DATA', `${piece.name}: a packed record is cut off at byte ${offset + consumed}`);
  }
  const { name, split, at } = piece;
  const { spans: values, keySpans: keys } = buffer;
  return { source: name, offset, split, at, data: buffer.bytes.subarray(0, length), count, values, keys, key: EMPTY };
}

/** Finds whole records in the first `filled` bytes, moving pieces of values together. `need`: bytes that the first record takes at least. */
function parsePacked(buffer: BlockBuffer, filled: number, piece: SplitPiece): { count: number; consumed: number; need: number } {
  const { bytes, spans, keySpans } = buffer;
  let count = 0;
  let at = 0;
  let need = PACKED_HEADER;
  while (count < MAX_RECORDS && filled - at >= PACKED_HEADER) {
    const keyWord = bytes.readUInt32LE(at);
    const keySize = keyWord & KEY_MASK;
    const valueAt = at + PACKED_HEADER + keySize;
    if ((keyWord & PIECE) !== 0)
      throw new DafError('ERR_DAF_BAD_DATA', `${piece.name}: a piece of a value without its beginning`);
    let valueSize = bytes.readUInt32LE(at + 4) & VALUE_MASK;
    let more = (bytes.readUInt32LE(at + 4) & MORE) !== 0;
    let next = valueAt + valueSize;
    let complete = next <= filled;
    // Looked at first and moved afterwards, so that a record that is still incomplete stays as it was read.
    let probe = next;
    let pieces = more;
    while (complete && pieces) {
      if (filled - probe < PACKED_HEADER) complete = false;
      else {
        pieces = (bytes.readUInt32LE(probe + 4) & MORE) !== 0;
        probe += PACKED_HEADER + (bytes.readUInt32LE(probe + 4) & VALUE_MASK);
        if (probe > filled) complete = false;
      }
    }
    if (!complete) {
      need = Math.max(next, probe + PACKED_HEADER) - at;
      break;
    }
    while (more) {
      const size = bytes.readUInt32LE(next + 4) & VALUE_MASK;
      more = (bytes.readUInt32LE(next + 4) & MORE) !== 0;
      bytes.copyWithin(valueAt + valueSize, next + PACKED_HEADER, next + PACKED_HEADER + size);
      valueSize += size;
      next += PACKED_HEADER + size;
    }
    keySpans[2 * count] = at + PACKED_HEADER;
    keySpans[2 * count + 1] = keySize;
    spans[2 * count] = valueAt;
    spans[2 * count + 1] = valueSize;
    count++;
    at = next;
  }
  return { count, consumed: at, need };
}

async function readExactly(
  source: ByteSource,
  target: Buffer,
  at: number,
  length: number,
  position: number,
  piece: SplitPiece,
): Promise<void> {
  const got = length === 0 ? 0 : await source.read(target, at, length, position);
  if (got !== length) throw tooShort(piece, position + got);
}

function tooShort(piece: SplitPiece, end: number): DafError {
  return new DafError('ERR_DAF_BAD_DATA', `input ${piece.name} ends at byte ${end}, earlier than it should`);
}
