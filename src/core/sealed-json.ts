import { createHash } from 'node:crypto';
import { DafError } from './contracts/errors.js';

/** The member that holds the SHA-256 of all others. */
const SEAL = 'sha256';

/** JSON with sorted keys, two spaces and a final newline: the same value has the same bytes. */
export function canonicalJson(value: unknown): string {
  return `${JSON.stringify(sorted(value), null, 2)}\n`;
}

/** A value as canonical JSON that says, in `sha256`, what it is the JSON of: whether it was changed since can be seen from it alone. */
export function sealedJson(value: object): string {
  return canonicalJson({ ...value, [SEAL]: hashOf(value) });
}

/**
 * What {@link sealedJson} made.
 * @returns the value with its seal, and whether every byte is as it was written
 * @throws DafError ERR_DAF_VERIFY when it is no object in JSON
 */
export function openSealedJson(text: string): { readonly value: Readonly<Record<string, unknown>>; readonly isIntact: boolean } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DafError('ERR_DAF_VERIFY', 'it is not JSON', { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new DafError('ERR_DAF_VERIFY', 'it is no object');
  const { [SEAL]: seal, ...rest } = value as Readonly<Record<string, unknown>>;
  return { value: { ...rest, [SEAL]: seal }, isIntact: seal === hashOf(rest) && text === canonicalJson(value) };
}

function hashOf(value: object): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  // Keys that look like numbers would jump the queue in a plain object, in the same way every time.
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => compareBytes(a, b))
      .map(([key, each]) => [key, sorted(each)]),
  );
}

/** UTF-8 byte order, which is code point order. */
export function compareBytes(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
