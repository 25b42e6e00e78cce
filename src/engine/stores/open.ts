import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DafError } from '../../core/contracts/errors.js';
import type { BlobStore, StateStore } from '../../core/contracts/stores.js';
import { DirectoryBlobStore } from './blob-directory.js';
import { LmdbStateStore } from './state-lmdb.js';

/**
 * The store behind a job's output URL; the directory of a `file:` URL is made at the first write.
 * @throws DafError ERR_DAF_BAD_OPTION, ERR_DAF_UNSUPPORTED
 */
export function openBlobStore(url: string): BlobStore {
  if (url.startsWith('file:')) return new DirectoryBlobStore(localDirectory(url));
  if (url.startsWith('s3:')) throw new DafError('ERR_DAF_UNSUPPORTED', `${url}: object stores are not supported yet`);
  throw new DafError('ERR_DAF_BAD_OPTION', `${url}: expected file:///directory`);
}

/**
 * The coordinator's state in a directory (a path or a `file:` URL), made when it is missing.
 * @throws DafError ERR_DAF_BAD_OPTION, ERR_DAF_IO, ERR_DAF_PERMISSION
 */
export function openStateStore(place: string): StateStore {
  if (/^[a-z][a-z0-9+]+:/i.test(place) && !place.startsWith('file:')) {
    throw new DafError('ERR_DAF_UNSUPPORTED', `${place}: expected a directory`);
  }
  return new LmdbStateStore(place.startsWith('file:') ? localDirectory(place) : place);
}

function localDirectory(url: string): string {
  try {
    const path = fileURLToPath(url);
    if (isAbsolute(path)) return path;
  } catch {
    // Said below.
  }
  throw new DafError('ERR_DAF_BAD_OPTION', `${url}: expected file:///directory`);
}
