import { PACKED_HEADER } from '../../../core/contracts/record.js';
import type { RecordBlock } from '../../../core/contracts/stage.js';

/** The records `from … to − 1` of a block as one of their own, in the same memory. */
export function blockRange(block: RecordBlock, from: number, to: number): RecordBlock {
  if (from === 0 && to === block.count) return block;
  const { data, keys, values } = block;
  const begin = beginOf(block, from);
  const end = to === block.count ? data.length : beginOf(block, to);
  return {
    ...block,
    data: data.subarray(begin, end),
    count: to - from,
    values: moved(values, from, to, begin),
    keys: keys === null ? null : moved(keys, from, to, begin),
    offset: block.offset + begin,
    at: block.at + begin,
  };
}

/** Where in the data of its block a record begins. */
function beginOf({ keys, values }: RecordBlock, i: number): number {
  return keys === null ? values[2 * i]! : keys[2 * i]! - PACKED_HEADER;
}

function moved(spans: Uint32Array, from: number, to: number, by: number): Uint32Array {
  const own = spans.slice(2 * from, 2 * to);
  for (let i = 0; i < own.length; i += 2) own[i]! -= by;
  return own;
}
