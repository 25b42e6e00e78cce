import { timingSafeEqual } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import { removedAtExit, temporaryFolder } from '../../core/temporary.js';

/** sun_path of a Unix socket, without its NUL. */
const MAX_IPC_PATH = 107;

/**
 * A fresh directory that only this user can enter, short enough for a socket path, and an `ipc://` endpoint in it.
 * `remove()` takes both away, as the end of this process does; what a killed one left goes with the next endpoint.
 */
export function freshIpcEndpoint(): { readonly endpoint: string; readonly remove: () => void } {
  for (const base of new Set([tmpdir(), '/tmp'])) {
    const directory = freshDirectory(base);
    if (directory === null) continue;
    const path = join(directory, 's');
    const remove = removedAtExit(directory);
    if (Buffer.byteLength(path) <= MAX_IPC_PATH) return { endpoint: `ipc://${path}`, remove };
    remove();
  }
  throw new DafError('ERR_DAF_IO', `no directory for a socket: ${tmpdir()} is too long or cannot be written`, {
    hint: 'set TMPDIR to a short, writable directory',
  });
}

function freshDirectory(base: string): string | null {
  try {
    return temporaryFolder('ipc', base);
  } catch {
    return null;
  }
}

/** Where to connect, and the public key that has to answer there; null where nothing is encrypted. */
export interface EndpointParts {
  readonly address: string;
  readonly serverKey: string | null;
}

/** `tcp://host:port#KEY`: an endpoint with the public key of whoever listens there, as workers tell each other. */
export function withServerKey(address: string, serverKey: string | null): string {
  return serverKey === null ? address : `${address}#${serverKey}`;
}

export function endpointParts(endpoint: string): EndpointParts {
  const at = endpoint.indexOf('#');
  if (at < 0) return { address: endpoint, serverKey: null };
  return { address: endpoint.slice(0, at), serverKey: endpoint.slice(at + 1) };
}

/**
 * Checks an endpoint that is to be bound or connected.
 * @param isSecured encrypted, and open to known keys only; without it tcp goes no further than this machine
 * @throws DafError ERR_DAF_BAD_OPTION
 */
export function checkEndpoint(endpoint: string, isSecured = false): void {
  if (endpoint.startsWith('ipc://')) {
    const path = endpoint.slice('ipc://'.length);
    if (path === '' || Buffer.byteLength(path) > MAX_IPC_PATH) {
      throw bad(endpoint, `a socket path has 1 to ${MAX_IPC_PATH} bytes, this one ${Buffer.byteLength(path)}`);
    }
    return;
  }
  const match = /^tcp:\/\/(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+|\*):(\d{1,5})$/.exec(endpoint);
  if (match === null || Number(match[2]) > 65535) throw bad(endpoint, 'expected ipc:///path or tcp://host:port');
  if (isSecured || isLoopback(match[1]!)) return;
  throw new DafError('ERR_DAF_BAD_OPTION', `endpoint ${endpoint}: other machines are reached with keys only`, {
    hint: 'daf keys new NAME makes a key; then --key, and --allow (coordinator) or --server-key (worker, client): docs/cluster.md',
  });
}

/** True for an endpoint that other machines can reach. */
export function isOpenToOthers(endpoint: string): boolean {
  const host = /^tcp:\/\/(.*):\d+$/.exec(endpointParts(endpoint).address)?.[1];
  return host !== undefined && !isLoopback(host);
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

function bad(endpoint: string, why: string): DafError {
  return new DafError('ERR_DAF_BAD_OPTION', `endpoint ${endpoint}: ${why}`);
}

/** True when no token is wanted, or the given one is it; takes the same time wherever they differ. */
export function tokenMatches(wanted: string | null, given: string | null): boolean {
  if (wanted === null) return true;
  const a = Buffer.from(wanted);
  const b = Buffer.from(given ?? '');
  return a.length === b.length && timingSafeEqual(a, b);
}
