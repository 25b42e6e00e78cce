/**
 * Packed records: what crosses between TypeScript and the native shuffle, lies in in-memory input files and in parts of
 * format `packed`. Each record is a little-endian uint32 key length, a uint32 value length, the key, the value; no padding.
 */
export const PACKED_HEADER = 8;

// Flags in the two words, as in native/shuffle/record.h. A value may come in pieces: all but the last say MORE, all but the first PIECE
// (with an empty key). Streams of groups mark the first piece of a group with FIRST and the last one with LAST.
export const FIRST = 0x8000_0000;
export const LAST = 0x4000_0000;
export const PIECE = 0x2000_0000;
export const KEY_MASK = 0x1fff_ffff;
export const MORE = 0x8000_0000;
export const VALUE_MASK = 0x7fff_ffff;

/** Bounds of DESIGN §4. */
export const MAX_KEY_BYTES = 1 << 20;
/** Values above this are kept outside the sort buffer. */
export const LARGE_VALUE_BYTES = 8 << 20;

export interface RawRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}
