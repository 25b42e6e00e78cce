import { DafError } from '../../core/contracts/errors.js';
import type { StateStore } from '../../core/contracts/stores.js';
import { localDirectory } from './open-blob.js';
import { LmdbStateStore } from './state-lmdb.js';

export { openBlobStore } from './open-blob.js';

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
