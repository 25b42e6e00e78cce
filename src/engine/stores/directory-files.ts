import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, type FileHandle, mkdir, open, readdir, rmdir, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import { TEMPORARY } from './key.js';

// What the directory store does with files, below keys and their rules.

const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
let counter = 0;

/** Any failure of the file system as the contract names it. */
export function ioError(error: unknown, what: string): DafError {
  if (DafError.is(error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const daf = DafError.from(error, 'ERR_DAF_IO');
  const hints: Record<string, string> = {
    ENOSPC: 'the disk is full: free some space',
    EDQUOT: 'the quota is used up',
    EACCES: 'check owner and mode of the directory',
    EPERM: 'check owner and mode of the directory',
    EMFILE: 'raise the limit of open files (ulimit -n)',
    EROFS: 'the file system is mounted read-only',
  };
  return new DafError(
    daf.code === 'ERR_DAF_NOT_FOUND' || daf.code === 'ERR_DAF_PERMISSION' ? daf.code : 'ERR_DAF_IO',
    `${what}: ${message}`,
    {
      hint: hints[code ?? ''],
      retryable: code === 'ENOSPC' || code === 'EDQUOT' || code === 'EMFILE' || code === 'ENFILE' || code === 'EIO',
      cause: error,
    },
  );
}

/** Makes a file's directory, and what leads to it, durably. */
export async function makeParents(path: string): Promise<void> {
  const directory = dirname(path);
  const first = await mkdir(directory, { recursive: true });
  if (first === undefined) return;
  const top = dirname(first);
  for (let made = directory; ; made = dirname(made)) {
    await syncDirectory(made === top ? top : dirname(made));
    if (made === first || made === top) return;
  }
}

const syncing = new Map<string, { running: Promise<void>; next: Promise<void> | null }>();

/** fsync of a directory. Calls that come while one runs share the next: publishing many files costs few of them. */
export function syncDirectory(path: string): Promise<void> {
  const current = syncing.get(path);
  if (current !== undefined) {
    current.next ??= current.running.catch(() => {}).then(() => beginSync(path));
    return current.next;
  }
  return beginSync(path);
}

function beginSync(path: string): Promise<void> {
  const running = (async () => {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  })();
  const entry = { running, next: null };
  syncing.set(path, entry);
  const done = (): void => {
    if (syncing.get(path) === entry && entry.next === null) syncing.delete(path);
  };
  running.then(done, done);
  return running;
}

/** A new file in the store's own corner, named so that a later process can tell whether its writer still lives. */
export async function openTemporary(root: string): Promise<{ readonly path: string; readonly handle: FileHandle }> {
  const name = `${host}-${process.pid}-${counter++}-${randomBytes(6).toString('hex')}`;
  const path = join(root, TEMPORARY, name);
  // Somebody's clean-up may take the empty directory away between mkdir and open.
  for (let tries = 0; ; tries++) {
    await mkdir(dirname(path), { recursive: true });
    try {
      return { path, handle: await open(path, 'wx') };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries > 20) throw error;
    }
  }
}

export async function writeAll(handle: FileHandle, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<number> {
  let total = 0;
  const write = async (part: Uint8Array): Promise<void> => {
    for (let at = 0; at < part.length; ) at += (await handle.write(part, at, part.length - at)).bytesWritten;
    total += part.length;
  };
  if (bytes instanceof Uint8Array) await write(bytes);
  else for await (const part of bytes) await write(part);
  return total;
}

export async function copyInto(root: string, source: string): Promise<string> {
  const { path, handle } = await openTemporary(root);
  try {
    await copyFile(source, path);
    await handle.sync();
  } catch (error) {
    await remove(path);
    throw error;
  } finally {
    await handle.close();
  }
  return path;
}

/** Unlinks; a file that is not there is as good as removed. */
export async function remove(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
  }
}

/** Removes directories that have become empty, from `directory` up to but not including `root`. */
export async function pruneEmpty(directory: string, root: string): Promise<void> {
  for (let at = directory; at !== root && at.startsWith(`${root}/`); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') return;
    }
  }
}

/** Takes away what writers of this machine left behind when they died, and the corner itself once it is empty. */
export async function cleanTemporary(root: string): Promise<void> {
  const directory = join(root, TEMPORARY.slice(0, -1));
  const names = await readdir(directory).catch(() => []);
  for (const name of names) {
    const [where, pid] = name.split('-');
    if (where === host && !isAlive(Number(pid))) await remove(join(directory, name));
  }
  await pruneEmpty(directory, root);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
