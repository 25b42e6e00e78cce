import { unpackSplit } from '../../../core/compact.js';
import { DafError } from '../../../core/contracts/errors.js';
import { type Split, splitsIndexKey, splitsKey } from '../../../core/contracts/job.js';
import type { BlobStore } from '../../../core/contracts/stores.js';
import { unpack } from '../../wire/msgpack.js';
import { localPathOf, MAX_SMALL, readSmall } from './read-ahead.js';

/** Reads one split of a job: two ranges, whatever the number of splits. @throws DafError ERR_DAF_BAD_DATA, ERR_DAF_NOT_FOUND */
export function readSplit(store: BlobStore, job: string, index: number): Split | Promise<Split> {
  // Two ranges for every task add up when tasks are short: of a local file they come from memory, mostly, and without a promise.
  const { indexPath, path } = pathsOf(store, job);
  if (indexPath === null || path === null) return fetchSplit(store, job, index);
  const { from, length } = rangeIn(readSmall(indexPath, index * 8, 16).bytes, index);
  return length > MAX_SMALL ? fetchSplit(store, job, index) : parse(readSmall(path, from, length).bytes, length, index);
}

interface Paths {
  readonly store: BlobStore;
  readonly job: string;
  readonly indexPath: string | null;
  readonly path: string | null;
}

let last: Paths | null = null;

/** Where the list lies on this machine, and its index: of tasks in a row the same. */
function pathsOf(store: BlobStore, job: string): Paths {
  if (last === null || last.store !== store || last.job !== job) {
    last = { store, job, indexPath: localPathOf(store, splitsIndexKey(job)), path: localPathOf(store, splitsKey(job)) };
  }
  return last;
}

async function fetchSplit(store: BlobStore, job: string, index: number): Promise<Split> {
  const { from, length } = rangeIn(await store.getRange(splitsIndexKey(job), index * 8, 16), index);
  return parse(await store.getRange(splitsKey(job), from, length), length, index);
}

/** Of an entry of the index and the one after it. */
function rangeIn(entry: Uint8Array, index: number): { readonly from: number; readonly length: number } {
  if (entry.length !== 16) throw new DafError('ERR_DAF_BAD_DATA', `the list of splits ends before split ${index}`);
  const from = uint64(entry, 0);
  return { from, length: uint64(entry, 8) - from };
}

/** Little endian; lists of splits are shorter than 2^53 bytes, and a BigInt costs an object. */
function uint64(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 7; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}

function parse(bytes: Uint8Array, length: number, index: number): Split {
  const split = unpackSplit(unpack(bytes));
  if (bytes.length !== length || split.index !== index || !Array.isArray(split.pieces)) {
    throw new DafError('ERR_DAF_BAD_DATA', `split ${index} is damaged`);
  }
  return split;
}
