/** Node's own slicer: works on any Uint8Array and spares a Buffer per string. */
const slicer = Buffer.prototype as unknown as { utf8Slice(this: Uint8Array, from: number, to: number): string };
const SINGLE = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

/** Bytes up to which a string is put together here: the call into Node costs more than three times as much. */
const SHORT = 8;
const { fromCharCode } = String;

/** UTF-8 to string; invalid bytes become U+FFFD. */
export function decode(bytes: Uint8Array, from: number, to: number): string {
  if (to - from === 1) {
    const single = SINGLE[bytes[from]!];
    if (single !== undefined) return single;
  }
  return decodeMore(bytes, from, to);
}

/** By itself, so that decode is small enough to go where it is called. */
function decodeMore(bytes: Uint8Array, from: number, to: number): string {
  return (to - from <= SHORT ? shortAscii(bytes, from, to - from) : null) ?? slicer.utf8Slice.call(bytes, from, to);
}

/** Null where not all bytes are ASCII. Keys and counts are, mostly. */
function shortAscii(b: Uint8Array, i: number, length: number): string | null {
  let all = 0;
  for (let at = i; at < i + length; at++) all |= b[at]!;
  if (all > 127) return null;
  // Arguments that are written out: V8 makes a list of those that are spread.
  switch (length) {
    case 0:
      return '';
    case 1:
      return fromCharCode(b[i]!);
    case 2:
      return fromCharCode(b[i]!, b[i + 1]!);
    case 3:
      return fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!);
    case 4:
      return fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!);
    case 5:
      return fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!);
    case 6:
      return fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!);
    case 7:
      return fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!);
    default:
      return fromCharCode(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!, b[i + 7]!);
  }
}
