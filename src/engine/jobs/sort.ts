import { addon } from '../../core/addon/index.js';
import { clearGroupFlags, GROUP_BUFFER_BYTES } from '../../core/addon/records.js';
import type { Params } from '../../core/contracts/definition.js';
import { DafError } from '../../core/contracts/errors.js';
import { MAX_KEY_BYTES, PACKED_HEADER } from '../../core/contracts/record.js';
import { checkKeys } from '../../core/options/index.js';
import { defineJob } from './define.js';

const OUT = 1 << 20;
const MAX_RECORD = 64 << 20;

/**
 * Sorts records by their first bytes, as memcmp orders them; equal keys keep the order of the input. `--param record=100`: records of 100
 * bytes, without it lines (LF or CRLF, written with LF). `--param key=10`: by the first 10 bytes; without it by all of them.
 */
export default defineJob({
  name: 'sort',
  module: import.meta.url,
  text: false,
  check: (params) => {
    checkKeys('sort', params, ['record', 'key']);
    keyBytes(params);
  },
  input: (params) => {
    const bytes = recordBytes(params);
    return bytes === 0 ? { kind: 'lines' } : { kind: 'fixed', bytes };
  },
  output: (params) => (recordBytes(params) === 0 ? { kind: 'text', separator: '' } : { kind: 'joined' }),
  order: 'total',
  mapBlocks(block, sink, context) {
    const key = keyBytes(context.params);
    const spans = block.values.subarray(0, 2 * block.count);
    let out = outBuffer(OUT);
    for (let done = 0; done < block.count; ) {
      const { records, written } = addon().packSpans(block.data, spans.subarray(2 * done), key, out);
      if (records === 0) {
        out = outBuffer(PACKED_HEADER + spans[2 * done + 1]!);
        continue;
      }
      const positions = new Float64Array(records);
      for (let i = 0; i < records; i++) positions[i] = block.at + spans[2 * (done + i)]!;
      sink.batch(out.subarray(0, written), null, positions);
      done += records;
    }
  },
  reduceGroups(groups, sink, context) {
    const buffer = new Uint8Array(GROUP_BUFFER_BYTES);
    for (let used = groups.fill(buffer); used > 0; used = groups.fill(buffer)) {
      context.checkCancelled();
      const batch = buffer.subarray(0, used);
      clearGroupFlags(batch);
      sink.batch(batch);
    }
  },
});

let reused = new Uint8Array(0);

/** The same memory for every block: a thread maps one at a time. */
function outBuffer(bytes: number): Uint8Array {
  if (reused.length < bytes) reused = new Uint8Array(bytes);
  return reused;
}

/** 0: lines. */
function recordBytes(params: Params): number {
  return whole(params, 'record', MAX_RECORD);
}

/** 0: the whole record. */
function keyBytes(params: Params): number {
  const record = recordBytes(params);
  return whole(params, 'key', record === 0 ? MAX_KEY_BYTES : Math.min(record, MAX_KEY_BYTES));
}

function whole(params: Params, name: string, most: number): number {
  const value = Number(params[name] ?? 0);
  if (Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw new DafError('ERR_DAF_BAD_OPTION', `sort: ${name} is ${JSON.stringify(params[name])}`, {
    hint: `a whole number of bytes up to ${most}`,
  });
}
