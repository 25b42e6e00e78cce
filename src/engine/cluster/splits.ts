import { packSplit } from '../../core/compact.js';
import { DafError } from '../../core/contracts/errors.js';
import { type InputFormat, isLines, type Split, type SplitPiece, splitsIndexKey, splitsKey } from '../../core/contracts/job.js';
import type { BlobStore } from '../../core/contracts/stores.js';
import { pack } from '../wire/msgpack.js';
import type { InputFile } from './inputs.js';
import { isS3Url } from './s3-inputs.js';
import { zstdPieces } from './zstd-pieces.js';

export const DEFAULT_SPLIT_BYTES = 32 * 2 ** 20;
/** A split is read by one task, whose report lists what it refused: that has to stay small. */
const MAX_PIECES = 2048;

/** Bytes that a packed byte unpacks to at most: deflate's limit, and a zstd block of four bytes. */
const MOST_UNPACKED = { none: 1, gzip: 1032, zstd: (128 << 10) / 4 } as const;

export interface SplitOptions {
  /** Bytes of a split. */
  readonly splitBytes: number;
  /** Pieces of a split at most. */
  readonly filesPerSplit: number;
}

/** Cuts files into splits: large files at multiples of the split size, small ones together. Depends on sizes and order alone. */
export async function* cutSplits(
  files: AsyncIterable<InputFile>,
  format: InputFormat,
  { splitBytes, filesPerSplit }: SplitOptions,
): AsyncGenerator<Split> {
  const step = format.kind === 'fixed' ? Math.max(1, Math.floor(splitBytes / format.bytes)) * format.bytes : splitBytes;
  const most = Math.min(filesPerSplit, MAX_PIECES);
  let pieces: SplitPiece[] = [];
  let bytes = 0;
  let place = 0;
  let index = 0;
  for await (const file of files) {
    if (file.unreadable && format.kind !== 'files') {
      throw new DafError('ERR_DAF_PERMISSION', `folder ${file.name} cannot be listed`);
    }
    for (const piece of cutFile(file, format, step)) {
      if (pieces.length > 0 && (bytes + piece.length > splitBytes || pieces.length === most)) {
        yield { index: index++, pieces };
        pieces = [];
        bytes = 0;
        place = 0;
      }
      pieces.push({ ...piece, split: index, at: place });
      bytes += piece.length;
      // Places follow each other in the order of the input, so there has to be room for all that a piece may unpack to.
      place += piece.length * MOST_UNPACKED[piece.compression ?? 'none'];
    }
  }
  if (pieces.length > 0) yield { index, pieces };
}

function* cutFile(file: InputFile, format: InputFormat, step: number): Generator<Omit<SplitPiece, 'split' | 'at'>> {
  const { name, path, bytes, version } = file;
  const compression = isLines(format) ? compressionOf(name) : null;
  const whole = {
    name,
    path,
    stored: false,
    fileLength: bytes,
    version,
    compression,
    unpackedOffset: 0,
    unpackedLength: null,
  } as const;
  if (compression === 'zstd' && bytes > step && !isS3Url(path)) {
    for (const piece of zstdPieces(file, step)) yield { ...whole, ...piece };
    return;
  }
  if (!isDivisible(format) || compression !== null || bytes === 0) {
    yield { ...whole, offset: 0, length: bytes };
    return;
  }
  for (let offset = 0; offset < bytes; offset += step) yield { ...whole, offset, length: Math.min(step, bytes - offset) };
}

function compressionOf(name: string): SplitPiece['compression'] {
  return name.endsWith('.gz') ? 'gzip' : name.endsWith('.zst') ? 'zstd' : null;
}

/** True where a file can be cut anywhere (at a multiple of its records' size). Borders of packed records are known to their writer only. */
export function isDivisible({ kind }: InputFormat): boolean {
  return kind === 'lines' || kind === 'json' || kind === 'fixed';
}

/** Stores splits and their index; returns how many there are. One split is in memory at a time. */
export async function storeSplits(
  store: BlobStore,
  job: string,
  splits: AsyncIterable<Split> | Iterable<Split>,
): Promise<number> {
  const offsets: number[] = [0];
  async function* packed(): AsyncGenerator<Uint8Array> {
    let at = 0;
    for await (const split of splits) {
      const bytes = Buffer.from(pack(packSplit(split)));
      at += bytes.length;
      offsets.push(at);
      yield bytes;
    }
  }
  await store.put(splitsKey(job), packed());
  const index = Buffer.alloc(offsets.length * 8);
  for (const [i, offset] of offsets.entries()) index.writeBigUInt64LE(BigInt(offset), i * 8);
  await store.put(splitsIndexKey(job), index);
  return offsets.length - 1;
}
