/** Node's own slicer: works on any Uint8Array and spares a Buffer per string. */
const slicer = Buffer.prototype as unknown as { utf8Slice(this: Uint8Array, from: number, to: number): string };
const SINGLE = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

/** UTF-8 to string; invalid bytes become U+FFFD. */
export function decode(bytes: Uint8Array, from: number, to: number): string {
  if (to - from <= 1) {
    if (to === from) return '';
    const single = SINGLE[bytes[from]!];
    if (single !== undefined) return single;
  }
  return slicer.utf8Slice.call(bytes, from, to);
}
