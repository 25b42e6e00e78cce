import { DafError } from '../../core/contracts/errors.js';
import { endpointParts } from './endpoint.js';
import { AllowList, type KeyPair, readKeyPair, readPublicKey } from './keys.js';

/** What a listening socket needs to be reachable from other machines. */
export interface ServerSecurity {
  readonly keys: KeyPair;
  readonly allowed: AllowList;
}

/** Files as they are named on the command line; null where not given. */
export interface KeyFiles {
  /** The own secret key. */
  readonly key: string | null;
  /** File or directory of public keys that may connect. */
  readonly allow: string | null;
}

/**
 * @param role in messages
 * @returns null without keys
 * @throws DafError ERR_DAF_BAD_OPTION when one is given without the other; as reading them
 */
export function serverSecurity(role: string, { key, allow }: KeyFiles): ServerSecurity | null {
  if (key === null && allow === null) return null;
  if (key === null || allow === null) {
    throw new DafError('ERR_DAF_BAD_OPTION', `${role}: --key and --allow go together`, {
      hint: '--key is its own secret key, --allow the public keys that may connect',
    });
  }
  return { keys: readKeyPair(key), allowed: new AllowList(allow) };
}

/** What a connecting socket needs. */
export interface ClientSecurity {
  readonly keys: KeyPair;
  readonly serverKey: string;
}

/**
 * @returns null without keys
 * @throws DafError ERR_DAF_BAD_OPTION when one is given without the other; as reading them
 */
export function clientSecurity(key: string | null, serverKey: string | null): ClientSecurity | null {
  if (key === null && serverKey === null) return null;
  if (key === null || serverKey === null) {
    throw new DafError('ERR_DAF_BAD_OPTION', '--key and --server-key go together', {
      hint: '--key is your own secret key, --server-key the coordinator’s public key (its .pub file)',
    });
  }
  return { keys: readKeyPair(key), serverKey: readPublicKey(serverKey) };
}

/** Options of zeromq for connecting to an endpoint that carries its key. @throws DafError ERR_DAF_BAD_OPTION without a key of one's own */
export function curveClient(endpoint: string, keys: KeyPair | null): object {
  const { serverKey } = endpointParts(endpoint);
  if (serverKey === null) return {};
  if (keys === null) throw new DafError('ERR_DAF_BAD_OPTION', `${endpoint} wants a key`, { hint: 'give --key' });
  return { curvePublicKey: keys.publicKey, curveSecretKey: keys.secretKey, curveServerKey: serverKey };
}
