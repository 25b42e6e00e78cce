import { addon } from '../../../core/addon/index.js';
import { GROUP_BUFFER_BYTES, readGroups } from '../../../core/addon/records.js';
import type { OutputFormat } from '../../../core/contracts/job.js';
import type { RawRecord } from '../../../core/contracts/record.js';
import type { BlobStore } from '../../../core/contracts/stores.js';
import { unpackRecords } from '../../../core/packed.js';

const CHUNK = 1 << 20;
const SHOWN = 120;
const NEWLINE = 10;

/** Bytes in a store. */
export interface Stored {
  readonly store: BlobStore;
  readonly key: string;
}

/**
 * Where two files of records begin to differ, in words: `line 12: "the 3" here, "the 4" there`. Null when they are equal.
 * @param here what was just made
 * @param there what it is compared with
 */
export async function firstDifference(here: Stored, there: Stored, format: OutputFormat['kind']): Promise<string | null> {
  if (format === 'packed') return firstRecord(unpackRecords(chunks(here), here.key), unpackRecords(chunks(there), there.key));
  return firstByte(here, there, format === 'text' || format === 'json');
}

/** Records of two segment files that a map made for `partitions` reducers. */
export async function firstDifferenceOfSegments(here: string, there: string, partitions: number): Promise<string | null> {
  for (let partition = 0; partition < partitions; partition++) {
    const found = await firstRecord(segmentRecords(here, partition), segmentRecords(there, partition));
    if (found !== null) return `partition ${partition}, ${found}`;
  }
  return null;
}

async function firstRecord(
  here: AsyncIterator<RawRecord> | Iterator<RawRecord>,
  there: AsyncIterator<RawRecord> | Iterator<RawRecord>,
): Promise<string | null> {
  for (let i = 0; ; i++) {
    const [a, b] = [await here.next(), await there.next()];
    if (a.done === true && b.done === true) return null;
    const left = a.done === true ? null : a.value;
    const right = b.done === true ? null : b.value;
    if (left !== null && right !== null && equal(left.key, right.key) && equal(left.value, right.value)) continue;
    return `record ${i}: ${showRecord(left)} here, ${showRecord(right)} there`;
  }
}

function* segmentRecords(path: string, partition: number): Generator<RawRecord> {
  const options = { sources: [{ path, partition }], temp: `${path}.merge`, fanIn: 32, groupPrefix: 0, control: null };
  const reader = new (addon().MergeReader)(options);
  try {
    reader.open();
    const { groups } = readGroups((buffer) => reader.next(buffer), new Uint8Array(GROUP_BUFFER_BYTES));
    for (const { key, values } of { groups }.groups()) for (const value of values) yield { key, value };
  } finally {
    reader.dispose();
  }
}

async function firstByte(here: Stored, there: Stored, lines: boolean): Promise<string | null> {
  let line = 0;
  let lineAt = 0;
  for (let at = 0; ; ) {
    const [a, b] = await Promise.all([range(here, at, CHUNK), range(there, at, CHUNK)]);
    const most = Math.min(a.length, b.length);
    let same = 0;
    if (a.subarray(0, most).equals(b.subarray(0, most))) same = most;
    else while (a[same] === b[same]) same += 1;
    for (let end = a.indexOf(NEWLINE); end >= 0 && end < same; end = a.indexOf(NEWLINE, end + 1)) {
      line += 1;
      lineAt = at + end + 1;
    }
    at += same;
    if (same === most && a.length === b.length && most < CHUNK) return null;
    if (same === most && a.length === b.length) continue;
    const from = lines && at - lineAt < SHOWN ? lineAt : at;
    const [left, right] = await Promise.all([range(here, from, SHOWN), range(there, from, SHOWN)]);
    const where = lines ? `line ${line}, byte ${at}` : `byte ${at}`;
    return `${where}: ${showBytes(left, lines)} here, ${showBytes(right, lines)} there`;
  }
}

async function range({ store, key }: Stored, offset: number, length: number): Promise<Buffer> {
  return Buffer.from(await store.getRange(key, offset, length));
}

async function* chunks(from: Stored): AsyncGenerator<Uint8Array> {
  for (let at = 0; ; ) {
    const chunk = await range(from, at, CHUNK);
    if (chunk.length === 0) return;
    at += chunk.length;
    yield chunk;
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function showRecord(record: RawRecord | null): string {
  return record === null ? 'nothing more' : `key ${show(record.key)} value ${show(record.value)}`;
}

function showBytes(bytes: Buffer, lines: boolean): string {
  if (bytes.length === 0) return 'nothing more';
  const end = lines ? bytes.indexOf(NEWLINE) : -1;
  return show(end < 0 ? bytes : bytes.subarray(0, end));
}

function show(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, SHOWN)).toString('latin1');
  return JSON.stringify(text) + (bytes.length > SHOWN ? ` and ${bytes.length - SHOWN} bytes` : '');
}
