import { existsSync } from 'node:fs';
import { addon } from '../../../core/addon/index.js';
import { DafError } from '../../../core/contracts/errors.js';
import type { BlobStore } from '../../../core/contracts/stores.js';
import type { HeldOutput, TaskSource } from '../../../core/contracts/task.js';
import { FETCH_BYTES } from '../../../core/memory-plan.js';
import { openBlobStore } from '../../stores/open-blob.js';
import type { FetchedFile } from './fetched-file.js';
import type { GatherTarget } from './gather.js';

/** Of indices, kept: the reduces of a worker read the same files one after the other. */
const MAX_INDEX_BYTES = 8 << 20;

// The sizes of native/shuffle/segment_format.h.
const INDEX_ENTRY = 32;
const TRAILER = 24;
const INDEX_MAGIC = Buffer.from('DAFSEGIX');

/**
 * Makes one partition of a segment file in the output store readable: the file itself where the store is a directory, else its segment
 * fetched by range.
 * @throws DafError ERR_DAF_NOT_FOUND, ERR_DAF_BAD_DATA, or why the store cannot be read
 */
export async function storedSegment(
  { key, bytes }: { readonly key: string } & Pick<HeldOutput, 'bytes'>,
  { spec, assignment: { task }, isCancelled }: Pick<GatherTarget, 'spec' | 'assignment' | 'isCancelled'>,
  fetched: FetchedFile,
): Promise<TaskSource['place']> {
  const store = openBlobStore(spec.output);
  const path = store.localPath(key);
  if (path !== null) {
    if (!existsSync(path)) throw new DafError('ERR_DAF_NOT_FOUND', `${store.url}: no ${key}`);
    return { kind: 'file', path, bytes };
  }
  const segment = segmentOf(await indexOf(store, key, bytes, spec.steps[task.step]!.reducers), task.index);
  return fetched.take(async (write) => {
    let crc = 0;
    for (let at = 0; at < segment.bytes; ) {
      if (isCancelled()) throw new DafError('ERR_DAF_CANCELLED', 'the attempt was cancelled');
      const chunk = await store.getRange(key, segment.offset + at, Math.min(FETCH_BYTES, segment.bytes - at));
      if (chunk.length === 0) throw damaged(store, key, 'is shorter than its index says');
      crc = addon().crc32c(crc, chunk);
      await write(chunk, at, segment.bytes);
      at += chunk.length;
    }
    if (crc !== segment.crc) throw damaged(store, key, `does not have the checksum of partition ${task.index}`);
    return segment.bytes;
  });
}

/** By store and key, the last used ones last. A key belongs to one attempt, so that its bytes never change. */
const indices = new Map<string, Promise<Buffer>>();

/** The entries of a segment file's index, verified. */
function indexOf(store: BlobStore, key: string, bytes: number, partitions: number): Promise<Buffer> {
  const name = `${store.url}\0${key}`;
  const index = indices.get(name) ?? readIndex(store, key, bytes, partitions);
  indices.delete(name);
  indices.set(name, index);
  index.catch(() => indices.delete(name));
  const most = Math.max(1, Math.floor(MAX_INDEX_BYTES / (partitions * INDEX_ENTRY)));
  for (const oldest of indices.keys()) {
    if (indices.size <= most) break;
    indices.delete(oldest);
  }
  return index;
}

async function readIndex(store: BlobStore, key: string, bytes: number, partitions: number): Promise<Buffer> {
  const size = partitions * INDEX_ENTRY;
  const at = bytes - size - TRAILER;
  if (at < 0) throw damaged(store, key, 'is too short for its partitions');
  const got = await store.getRange(key, at, size + TRAILER);
  const tail = Buffer.from(got.buffer, got.byteOffset, got.byteLength);
  if (tail.length !== size + TRAILER || tail.compare(INDEX_MAGIC, 0, 8, size + 16) !== 0)
    throw damaged(store, key, 'is not whole');
  const crc = addon().crc32c(addon().crc32c(0, tail.subarray(0, size)), tail.subarray(size, size + 12));
  const isRight = Number(tail.readBigUInt64LE(size)) === at && tail.readUInt32LE(size + 8) === partitions;
  if (!isRight || crc !== tail.readUInt32LE(size + 12)) throw damaged(store, key, 'has a damaged index');
  return Buffer.from(tail.subarray(0, size));
}

function segmentOf(index: Buffer, partition: number): { readonly offset: number; readonly bytes: number; readonly crc: number } {
  const at = partition * INDEX_ENTRY;
  const [offset, bytes] = [index.readBigUInt64LE(at), index.readBigUInt64LE(at + 8)].map(Number) as [number, number];
  return { offset, bytes, crc: index.readUInt32LE(at + 24) };
}

function damaged(store: BlobStore, key: string, why: string): DafError {
  return new DafError('ERR_DAF_BAD_DATA', `${store.url}: ${key} ${why}`, { retryable: true });
}
