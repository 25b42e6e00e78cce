import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { BlobStore } from '../../../core/contracts/stores.js';

const WINDOW = 64 << 10;
/** Longer ranges gain nothing from a window. */
export const MAX_SMALL = WINDOW / 2;
/** A job's list of splits, its index, its items, and one more. */
const MAX_WINDOWS = 4;

interface Window {
  readonly bytes: Buffer;
  /** Where it begins in its file, and how much of it is there. */
  readonly from: number;
  readonly filled: number;
  readonly fileBytes: number;
}

const windows = new Map<string, Window>();
/** Paths of the keys that tasks in a row ask for: checking a key and joining a path for each costs as much as reading from a window. */
const paths = new WeakMap<BlobStore, Map<string, string | null>>();
const MAX_PATHS = 16;

/** Where a store keeps a key on this machine; null for one that does not. @throws DafError ERR_DAF_BAD_ARGUMENT for no key */
export function localPathOf(store: BlobStore, key: string): string | null {
  let known = paths.get(store);
  if (known === undefined) {
    known = new Map();
    paths.set(store, known);
  }
  let path = known.get(key);
  if (path === undefined) {
    if (known.size === MAX_PATHS) known.clear();
    path = store.localPath(key);
    known.set(key, path);
  }
  return path;
}

export interface SmallRange {
  /** Fewer than asked for only at the end of the file. Borrowed until the next call. */
  readonly bytes: Buffer;
  readonly fileBytes: number;
}

/**
 * A short range of a local file whose bytes never change once it has its name. Tasks in a row read ranges in a row, and opening a file for each
 * costs more than most of such tasks do: a window of it stays in memory, one a file, for the last few files of a thread.
 */
export function readSmall(path: string, offset: number, length: number): SmallRange {
  let window = windows.get(path);
  if (window === undefined || offset < window.from || offset + length > window.from + window.filled) {
    window = readWindow(path, offset, window?.bytes);
    windows.delete(path);
    windows.set(path, window);
    if (windows.size > MAX_WINDOWS) windows.delete(windows.keys().next().value!);
  }
  const at = offset - window.from;
  return { bytes: window.bytes.subarray(at, Math.min(at + length, window.filled)), fileBytes: window.fileBytes };
}

function readWindow(path: string, from: number, reused: Buffer | undefined): Window {
  const bytes = reused ?? Buffer.allocUnsafeSlow(WINDOW);
  const fd = openSync(path, 'r');
  try {
    return { bytes, from, filled: readSync(fd, bytes, 0, WINDOW, from), fileBytes: fstatSync(fd).size };
  } finally {
    closeSync(fd);
  }
}
