import { DafError } from '../../core/contracts/errors.js';
import { inputKey, type Split } from '../../core/contracts/job.js';
import { MAX_KEY_BYTES, PACKED_HEADER } from '../../core/contracts/record.js';
import type { BlobStore } from '../../core/contracts/stores.js';

/** An item of in-memory input: a value, or a key with its value. Strings become UTF-8. */
export type MemoryItem = string | Uint8Array | { readonly key: string | Uint8Array; readonly value: string | Uint8Array };

/** Small enough to keep memory flat, large enough to make writes cheap. */
const CHUNK = 256 << 10;
const MAX_VALUE = 0x7fff_ffff;

/** Streams items into one file of packed records, never holding more than a chunk; the splits are ranges of it. */
export async function storeItems(
  store: BlobStore,
  job: string,
  items: Iterable<MemoryItem> | AsyncIterable<MemoryItem>,
  limits: { readonly splitBytes: number; readonly itemsPerSplit: number },
): Promise<Split[]> {
  const key = inputKey(job, 0);
  const cuts: number[] = [0];
  let total = 0;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    let waiting: Uint8Array[] = [];
    let waitingBytes = 0;
    let inSplit = 0;
    let splitStart = 0;
    for await (const item of items) {
      const record = packItem(item);
      if (inSplit > 0 && (inSplit === limits.itemsPerSplit || total + record.length - splitStart > limits.splitBytes)) {
        cuts.push(total);
        splitStart = total;
        inSplit = 0;
      }
      inSplit += 1;
      total += record.length;
      waiting.push(record);
      waitingBytes += record.length;
      if (waitingBytes >= CHUNK) {
        yield Buffer.concat(waiting, waitingBytes);
        waiting = [];
        waitingBytes = 0;
      }
    }
    if (waitingBytes > 0) yield Buffer.concat(waiting, waitingBytes);
  }
  await store.put(key, chunks());
  if (total > 0) cuts.push(total);
  return cuts.slice(1).map((end, index) => {
    const offset = cuts[index]!;
    const where = {
      name: 'memory',
      path: key,
      stored: true,
      offset,
      length: end - offset,
      fileLength: total,
      version: null,
      compression: null,
      unpackedOffset: 0,
      unpackedLength: null,
    };
    return { index, pieces: [{ ...where, split: index, at: 0 }] };
  });
}

function packItem(item: MemoryItem): Uint8Array {
  const pair = typeof item === 'object' && item !== null && 'key' in item ? item : { key: '', value: item };
  const key = asBytes(pair.key);
  const value = asBytes(pair.value);
  if (key.length > MAX_KEY_BYTES || value.length > MAX_VALUE) {
    throw new DafError('ERR_DAF_BAD_ARGUMENT', `an input item has a key of ${key.length} and a value of ${value.length} bytes`, {
      hint: `at most ${MAX_KEY_BYTES} and ${MAX_VALUE}`,
    });
  }
  const record = Buffer.allocUnsafe(PACKED_HEADER + key.length + value.length);
  record.writeUInt32LE(key.length, 0);
  record.writeUInt32LE(value.length, 4);
  record.set(key, PACKED_HEADER);
  record.set(value, PACKED_HEADER + key.length);
  return record;
}

function asBytes(field: unknown): Uint8Array {
  if (typeof field === 'string') return Buffer.from(field);
  if (field instanceof Uint8Array) return field;
  throw new DafError('ERR_DAF_BAD_ARGUMENT', `an input item is ${field === null ? 'null' : typeof field}`, {
    hint: 'items are strings, bytes, or { key, value } of them; JSON.stringify anything else',
  });
}
