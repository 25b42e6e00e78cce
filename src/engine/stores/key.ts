import { DafError } from '../../core/contracts/errors.js';

/** The corner of a store that is the store's own: files being written. */
export const TEMPORARY = '_daf/tmp/';

const MAX_KEY = 1024;
const MAX_PART = 255;

/** @throws DafError ERR_DAF_BAD_ARGUMENT for a key that breaks the rules of contracts/stores.ts. */
export function checkKey(key: string): void {
  const why = problem(key);
  if (why !== null) throw new DafError('ERR_DAF_BAD_ARGUMENT', `key ${JSON.stringify(key).slice(0, 200)}: ${why}`);
}

function problem(key: string): string | null {
  if (key === '') return 'is empty';
  if (/\p{Surrogate}/u.test(key)) return 'is not valid Unicode';
  if (key.includes('\0')) return 'holds a NUL';
  if (Buffer.byteLength(key) > MAX_KEY) return `is longer than ${MAX_KEY} bytes`;
  for (const part of key.split('/')) {
    if (part === '' || part === '.' || part === '..') return 'has an empty, . or .. part';
    if (Buffer.byteLength(part) > MAX_PART) return `has a part longer than ${MAX_PART} bytes`;
  }
  return key.startsWith(TEMPORARY) ? `is below ${TEMPORARY}, which belongs to the store` : null;
}

/** @throws DafError ERR_DAF_BAD_ARGUMENT */
export function checkRange(offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
    throw new DafError('ERR_DAF_BAD_ARGUMENT', `range ${offset} + ${length}: expected whole numbers ≥ 0`);
  }
}

/** Orders keys by their UTF-8 bytes, as every store lists them. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
