import { DafError } from '../../core/contracts/errors.js';
import type { StateStore } from '../../core/contracts/stores.js';
import { localDirectory } from './open-blob.js';
import { isRedisUrl } from './redis/place.js';

export { openBlobStore } from './open-blob.js';

/**
 * The coordinator's state: in a directory (a path or a `file:` URL), made when it is missing, or on a Redis or Valkey server
 * (`redis://…`, `rediss://…`, `valkey://…`, `valkeys://…`).
 * @param warn is told what is allowed but risky
 * @throws DafError ERR_DAF_BAD_OPTION, ERR_DAF_IO, ERR_DAF_PERMISSION, ERR_DAF_UNREACHABLE, ERR_DAF_UNSUPPORTED
 */
export async function openStateStore(place: string, warn: (message: string) => void = () => {}): Promise<StateStore> {
  if (isRedisUrl(place)) {
    const { RedisStateStore } = await import('./redis/state-redis.js');
    return RedisStateStore.open(place, warn);
  }
  const scheme = /^([a-z][a-z0-9+]+):/i.exec(place)?.[1];
  if (scheme !== undefined && scheme !== 'file') {
    // Without the rest, which may hold a password.
    throw new DafError('ERR_DAF_UNSUPPORTED', `${scheme}: cannot keep state; expected a directory or redis://host`);
  }
  const { LmdbStateStore } = await import('./state-lmdb.js');
  return new LmdbStateStore(place.startsWith('file:') ? localDirectory(place) : place);
}
