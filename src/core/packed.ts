import { DafError } from './contracts/errors.js';
import { KEY_MASK, MORE, PACKED_HEADER, PIECE, type RawRecord, VALUE_MASK } from './contracts/record.js';

/**
 * Packed records of a stream of chunks; values that lie in pieces are joined.
 * @param what named in errors
 * @throws DafError ERR_DAF_VERIFY when the bytes end within a record
 */
export async function* unpackRecords(chunks: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<RawRecord> {
  let rest: Buffer = Buffer.alloc(0);
  let open: { readonly key: Uint8Array; readonly parts: Uint8Array[] } | null = null;
  for await (const chunk of chunks) {
    const data: Buffer = Buffer.concat([rest, chunk]);
    let at = 0;
    while (data.length - at >= PACKED_HEADER) {
      const keyWord = data.readUInt32LE(at);
      const valueWord = data.readUInt32LE(at + 4);
      const valueAt = at + PACKED_HEADER + (keyWord & KEY_MASK);
      const end = valueAt + (valueWord & VALUE_MASK);
      if (end > data.length) break;
      const value = data.subarray(valueAt, end);
      if ((keyWord & PIECE) === 0) open = { key: data.subarray(at + PACKED_HEADER, valueAt), parts: [value] };
      else open?.parts.push(value);
      if (open !== null && (valueWord & MORE) === 0) {
        yield { key: open.key, value: open.parts.length === 1 ? value : Buffer.concat(open.parts) };
        open = null;
      }
      at = end;
    }
    rest = data.subarray(at);
  }
  if (rest.length > 0 || open !== null) throw new DafError('ERR_DAF_VERIFY', `${what} ends within a record`);
}
