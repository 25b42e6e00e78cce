import { DafError } from '../../../core/contracts/errors.js';
import { type Split, splitsIndexKey, splitsKey } from '../../../core/contracts/job.js';
import type { BlobStore } from '../../../core/contracts/stores.js';
import { unpack } from '../../wire/msgpack.js';
import { MAX_SMALL, readSmall } from './read-ahead.js';

/** Reads one split of a job: two ranges, whatever the number of splits. @throws DafError ERR_DAF_BAD_DATA, ERR_DAF_NOT_FOUND */
export async function readSplit(store: BlobStore, job: string, index: number): Promise<Split> {
  const entry = await readRange(store, splitsIndexKey(job), index * 8, 16);
  if (entry.length !== 16) throw new DafError('ERR_DAF_BAD_DATA', `the list of splits ends before split ${index}`);
  const from = Number(entry.readBigUInt64LE(0));
  const to = Number(entry.readBigUInt64LE(8));
  const bytes = await readRange(store, splitsKey(job), from, to - from);
  const split = unpack(bytes) as Split;
  if (bytes.length !== to - from || split.index !== index || !Array.isArray(split.pieces)) {
    throw new DafError('ERR_DAF_BAD_DATA', `split ${index} is damaged`);
  }
  return split;
}

/** Two ranges for every task add up when tasks are short: of a local file they come from memory, mostly. */
async function readRange(store: BlobStore, key: string, offset: number, length: number): Promise<Buffer> {
  const path = length <= MAX_SMALL ? store.localPath(key) : null;
  if (path === null) return Buffer.from(await store.getRange(key, offset, length));
  return readSmall(path, offset, length).bytes;
}
