import { DafError } from '../../core/contracts/errors.js';
import { badData } from '../formats/bad-data.js';
import { readWhole } from '../formats/read-file.js';

const MAX_JSON = 64 << 20;

/** A JSON object, read key by key. Errors name the file and the object. */
export class JsonObject {
  readonly what: string;
  readonly #value: Readonly<Record<string, unknown>>;

  constructor(value: unknown, what: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badData(`${what}: not a JSON object`);
    this.what = what;
    this.#value = value as Record<string, unknown>;
  }

  /** @throws DafError ERR_DAF_NOT_FOUND, ERR_DAF_IO, ERR_DAF_BAD_DATA */
  static read(path: string): JsonObject {
    const text = readWhole(path, MAX_JSON).toString('utf8');
    try {
      return new JsonObject(JSON.parse(text), path);
    } catch (cause) {
      if (DafError.is(cause)) throw cause;
      const hint = /\b(NaN|Infinity)\b/.test(text) ? 'it holds NaN or Infinity, which JSON does not know' : undefined;
      throw new DafError('ERR_DAF_BAD_DATA', `${path}: not JSON: ${(cause as Error).message}`, { cause, hint });
    }
  }

  get(key: string): unknown {
    return this.#value[key];
  }

  /** A finite number, or undefined where the key is missing. */
  number(key: string): number | undefined {
    const value = this.#value[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'number' || !Number.isFinite(value)) throw badData(`${this.what}: "${key}" is not a finite number`);
    return value;
  }

  text(key: string): string | undefined {
    const value = this.#value[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string') throw badData(`${this.what}: "${key}" is not a text`);
    return value;
  }

  list(key: string): readonly unknown[] | undefined {
    const value = this.#value[key];
    if (value === undefined || value === null) return undefined;
    if (!Array.isArray(value)) throw badData(`${this.what}: "${key}" is not a list`);
    return value;
  }
}
