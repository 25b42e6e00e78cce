export function sameKey(a: string | Uint8Array, b: string | Uint8Array): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a === b;
  return Buffer.compare(asBytes(a), asBytes(b)) === 0;
}

function asBytes(field: string | Uint8Array): Uint8Array {
  return typeof field === 'string' ? Buffer.from(field) : field;
}
