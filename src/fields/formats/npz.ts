import { badData } from './bad-data.js';
import { type NpyArray, parseNpy } from './npy.js';
import { ZipFile } from './zip.js';

/** What one array may take unless the caller allows more. */
export const DEFAULT_ARRAY_BYTES = 256 << 20;

/** A numpy `.npz` archive; an array is read when it is asked for. */
export class NpzFile implements Disposable {
  readonly #zip: ZipFile;
  readonly #path: string;

  /** @throws DafError ERR_DAF_NOT_FOUND, ERR_DAF_IO, ERR_DAF_BAD_DATA */
  constructor(path: string, maxArrayBytes = DEFAULT_ARRAY_BYTES) {
    this.#path = path;
    this.#zip = new ZipFile(path, maxArrayBytes);
  }

  /** Names of the arrays, without `.npy`. */
  get names(): readonly string[] {
    return this.#zip.names.filter((name) => name.endsWith('.npy')).map((name) => name.slice(0, -4));
  }

  has(name: string): boolean {
    return this.#zip.names.includes(`${name}.npy`);
  }

  /** @throws DafError ERR_DAF_BAD_DATA: no such array, damaged, too large, or not of plain numbers. */
  read(name: string): NpyArray {
    if (!this.has(name))
      throw badData(`${this.#path} holds no array "${name}"`, `it holds ${this.names.slice(0, 20).join(', ')}`);
    return parseNpy(this.#zip.read(`${name}.npy`), `${this.#path}: "${name}"`);
  }

  close(): void {
    this.#zip.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Every array of a numpy `.npz` archive by its name.
 * @throws DafError ERR_DAF_NOT_FOUND, ERR_DAF_IO; ERR_DAF_BAD_DATA: damaged, an array above `maxArrayBytes`, or not of plain numbers.
 */
export function readNpz(path: string, maxArrayBytes = DEFAULT_ARRAY_BYTES): Map<string, NpyArray> {
  using file = new NpzFile(path, maxArrayBytes);
  return new Map(file.names.map((name) => [name, file.read(name)]));
}
