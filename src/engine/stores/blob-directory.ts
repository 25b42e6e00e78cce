import { constants, type Dirent } from 'node:fs';
import { type FileHandle, link, lstat, open, readdir, rename, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DafError } from '../../core/contracts/errors.js';
import type { BlobInfo, BlobStore } from '../../core/contracts/stores.js';
import {
  cleanTemporary,
  copyInto,
  ioError,
  makeParents,
  openTemporary,
  pruneEmpty,
  remove,
  syncDirectory,
  writeAll,
} from './directory-files.js';
import { checkKey, checkRange, TEMPORARY } from './key.js';

const COMPARE_CHUNK = 1 << 20;

/**
 * Blobs as files of a directory. What is being written lies under `_daf/tmp/` and gets its name by rename(2) or link(2) once it is on
 * stable storage, so that a name never stands for a part. The file system must know hard links.
 */
export class DirectoryBlobStore implements BlobStore {
  readonly url: string;
  readonly #root: string;

  constructor(directory: string) {
    this.#root = resolve(directory);
    this.url = pathToFileURL(this.#root).href;
  }

  async checkUsable(): Promise<void> {}

  put(key: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    return this.#guard(key, async (path) => {
      const { temporary, total } = await this.#write(bytes);
      await this.#name(temporary, path, rename);
      return { key, bytes: total };
    });
  }

  putFile(key: string, source: string): Promise<BlobInfo> {
    return this.#guard(key, async (path) => {
      const handle = await open(source, 'r');
      let bytes: number;
      try {
        const stat = await handle.stat();
        if (!stat.isFile()) throw new DafError('ERR_DAF_BAD_ARGUMENT', `${source} is not a file`);
        bytes = stat.size;
        await handle.sync();
      } finally {
        await handle.close();
      }
      try {
        await this.#name(source, path, rename, true);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
        await this.#name(await copyInto(this.#root, source), path, rename);
        await remove(source);
      }
      return { key, bytes };
    });
  }

  putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    return this.#guard(key, async (path) => {
      const { temporary } = await this.#write(bytes);
      try {
        await this.#name(temporary, path, link, true);
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
      } finally {
        await remove(temporary);
      }
    });
  }

  async get(key: string): Promise<Uint8Array> {
    return this.getRange(key, 0, Number.MAX_SAFE_INTEGER);
  }

  getRange(key: string, offset: number, length: number): Promise<Uint8Array> {
    checkRange(offset, length);
    return this.#guard(key, async (path) => {
      const handle = await open(path, 'r');
      try {
        const stat = await handle.stat();
        if (!stat.isFile()) throw new DafError('ERR_DAF_NOT_FOUND', `${this.url}: no ${key}`);
        return await read(handle, offset, Math.max(0, Math.min(length, stat.size - offset)));
      } finally {
        await handle.close();
      }
    });
  }

  stat(key: string): Promise<BlobInfo | null> {
    return this.#guard(key, async (path) => {
      try {
        const stat = await lstat(path);
        return stat.isFile() ? { key, bytes: stat.size } : null;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT' || code === 'ENOTDIR') return null;
        throw error;
      }
    });
  }

  async *list(prefix: string): AsyncIterable<BlobInfo> {
    const slash = prefix.lastIndexOf('/');
    yield* this.#walk(slash < 0 ? '' : prefix.slice(0, slash + 1), prefix);
  }

  publish(from: string, to: string): Promise<boolean> {
    checkKey(from);
    return this.#guard(to, async (path) => {
      const source = this.#path(from);
      try {
        await this.#name(source, path, link, true);
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        if (!(await sameBytes(source, path))) return false;
        await syncDirectory(dirname(path)); // an earlier, interrupted call may have linked without it
        return true;
      }
    });
  }

  delete(key: string): Promise<void> {
    return this.#guard(key, async (path) => {
      await remove(path);
      await pruneEmpty(dirname(path), this.#root);
    });
  }

  async deletePrefix(prefix: string): Promise<void> {
    const slash = prefix.lastIndexOf('/');
    const folder = slash < 0 ? '' : prefix.slice(0, slash + 1);
    try {
      await this.#deleteIn(folder, prefix);
      await pruneEmpty(join(this.#root, folder).replace(/\/$/, ''), this.#root);
      await cleanTemporary(this.#root);
    } catch (error) {
      throw ioError(error, `${this.url}: ${prefix}`);
    }
  }

  localPath(key: string): string {
    checkKey(key);
    return this.#path(key);
  }

  #path(key: string): string {
    return join(this.#root, key);
  }

  async #guard<T>(key: string, act: (path: string) => Promise<T>): Promise<T> {
    checkKey(key);
    try {
      return await act(this.#path(key));
    } catch (error) {
      throw ioError(error, `${this.url}: ${JSON.stringify(key)}`);
    }
  }

  /** Bytes on stable storage under a temporary name. */
  async #write(bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<{ temporary: string; total: number }> {
    const { path, handle } = await openTemporary(this.#root);
    try {
      const total = await writeAll(handle, bytes);
      await handle.sync();
      return { temporary: path, total };
    } catch (error) {
      await remove(path).catch(() => {});
      throw error;
    } finally {
      await handle.close();
    }
  }

  /** Gives a complete file its name, durably. A file that could not be named goes, unless it is the caller's. */
  async #name(from: string, to: string, how: (from: string, to: string) => Promise<void>, keep = false): Promise<void> {
    try {
      // A clean-up of empty directories may cross the making of one.
      for (let tries = 0; ; tries++) {
        await makeParents(to);
        try {
          await how(from, to);
          break;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries > 20 || (await lstat(from).catch(() => null)) === null)
            throw error;
        }
      }
    } catch (error) {
      if (!keep) await remove(from).catch(() => {});
      throw error;
    }
    await syncDirectory(dirname(to));
  }

  /** Files below a folder (`''` or ending in `/`) in byte order of their keys. */
  async *#walk(folder: string, prefix: string): AsyncIterable<BlobInfo> {
    for (const { key, isFolder } of await this.#entries(folder, prefix)) {
      if (isFolder) yield* this.#walk(key, prefix);
      else {
        const info = await this.stat(key);
        if (info !== null) yield info;
      }
    }
  }

  async #entries(folder: string, prefix: string): Promise<{ key: string; isFolder: boolean }[]> {
    let found: Dirent<Buffer>[];
    try {
      found = await readdir(join(this.#root, folder), { withFileTypes: true, encoding: 'buffer' });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return [];
      throw ioError(error, `${this.url}: ${folder}`);
    }
    const entries: { key: string; isFolder: boolean; bytes: Buffer }[] = [];
    for (const entry of found) {
      const isFolder = entry.isDirectory();
      const name = entry.name.toString();
      // A name that is not UTF-8 was not written here and cannot be a key.
      if ((!isFolder && !entry.isFile()) || !Buffer.from(name).equals(entry.name)) continue;
      const key = `${folder}${name}${isFolder ? '/' : ''}`;
      if (key === TEMPORARY || !(key.startsWith(prefix) || (isFolder && prefix.startsWith(key)))) continue;
      entries.push({ key, isFolder, bytes: Buffer.from(key) });
    }
    // With the slash a folder sorts where its files belong.
    return entries.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  }

  async #deleteIn(folder: string, prefix: string): Promise<void> {
    for (const { key, isFolder } of await this.#entries(folder, prefix)) {
      if (!isFolder) await remove(this.#path(key));
      else {
        await this.#deleteIn(key, prefix);
        await rmdir(this.#path(key)).catch((error: NodeJS.ErrnoException) => {
          if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code ?? '')) throw error;
        });
      }
    }
  }
}

async function read(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await handle.read(bytes, at, length - at, offset + at);
    if (bytesRead === 0) return bytes.subarray(0, at);
    at += bytesRead;
  }
  return bytes;
}

/** Same file, or same content. */
async function sameBytes(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all([open(a, constants.O_RDONLY), open(b, constants.O_RDONLY)]);
  try {
    const [one, two] = await Promise.all([left.stat({ bigint: true }), right.stat({ bigint: true })]);
    if (one.ino === two.ino && one.dev === two.dev) return true;
    if (one.size !== two.size || !two.isFile()) return false;
    for (let at = 0; at < Number(one.size); at += COMPARE_CHUNK) {
      const [x, y] = await Promise.all(
        [left, right].map((handle) => read(handle, at, Math.min(COMPARE_CHUNK, Number(one.size) - at))),
      );
      if (Buffer.compare(x!, y!) !== 0) return false;
    }
    return true;
  } finally {
    await left.close();
    await right.close();
  }
}
