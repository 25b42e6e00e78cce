/**
 * Packed records: what crosses between TypeScript and the native shuffle, lies in in-memory input files and in parts of
 * format `packed`. Each record is a little-endian uint32 key length, a uint32 value length, the key, the value; no padding.
 */
export const PACKED_HEADER = 8;

/** Bounds of DESIGN §4. */
export const MAX_KEY_BYTES = 1 << 20;
/** Values above this are kept outside the sort buffer. */
export const LARGE_VALUE_BYTES = 8 << 20;

export interface RawRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}
