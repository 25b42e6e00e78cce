import { readFile, rm } from 'node:fs/promises';
import { DafError } from '../../core/contracts/errors.js';
import type { BlobInfo, BlobStore } from '../../core/contracts/stores.js';
import { checkKey, checkRange, compareKeys } from './key.js';

/** A BlobStore that lives as long as the object; for tests and simulations. */
export class MemoryBlobStore implements BlobStore {
  readonly url: string;
  readonly #blobs = new Map<string, Uint8Array>();

  constructor(url = 'memory:test') {
    this.url = url;
  }

  async checkUsable(): Promise<void> {}

  async put(key: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    checkKey(key);
    const parts: Uint8Array[] = [];
    if (bytes instanceof Uint8Array) parts.push(bytes);
    else for await (const part of bytes) parts.push(part.slice());
    const whole = new Uint8Array(Buffer.concat(parts));
    this.#blobs.set(key, whole);
    return { key, bytes: whole.length };
  }

  async putFile(key: string, path: string): Promise<BlobInfo> {
    checkKey(key);
    const bytes = await readFile(path).catch((error: unknown) => {
      throw DafError.from(error, 'ERR_DAF_IO');
    });
    const info = await this.put(key, bytes);
    await rm(path);
    return info;
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    checkKey(key);
    if (this.#blobs.has(key)) return false;
    this.#blobs.set(key, bytes.slice());
    return true;
  }

  async get(key: string): Promise<Uint8Array> {
    return this.#find(key).slice();
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array> {
    checkRange(offset, length);
    return this.#find(key).slice(offset, offset + length);
  }

  async stat(key: string): Promise<BlobInfo | null> {
    checkKey(key);
    const bytes = this.#blobs.get(key);
    return bytes === undefined ? null : { key, bytes: bytes.length };
  }

  async *list(prefix: string): AsyncIterable<BlobInfo> {
    for (const key of [...this.#blobs.keys()].filter((each) => each.startsWith(prefix)).sort(compareKeys)) {
      yield { key, bytes: this.#blobs.get(key)!.length };
    }
  }

  async publish(from: string, to: string): Promise<boolean> {
    checkKey(to);
    const bytes = this.#find(from);
    const there = this.#blobs.get(to);
    if (there !== undefined) return Buffer.compare(there, bytes) === 0;
    this.#blobs.set(to, bytes);
    return true;
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    this.#blobs.delete(key);
  }

  async deletePrefix(prefix: string): Promise<void> {
    for (const key of [...this.#blobs.keys()]) if (key.startsWith(prefix)) this.#blobs.delete(key);
  }

  localPath(_key: string): string | null {
    return null;
  }

  #find(key: string): Uint8Array {
    checkKey(key);
    const bytes = this.#blobs.get(key);
    if (bytes === undefined) throw new DafError('ERR_DAF_NOT_FOUND', `${this.url}: no ${key}`);
    return bytes;
  }
}
