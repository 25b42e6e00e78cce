import { timingSafeEqual } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';

/** sun_path of a Unix socket, without its NUL. */
const MAX_IPC_PATH = 107;

/**
 * A fresh directory that only this user can enter, short enough for a socket path, and an `ipc://` endpoint in it.
 * `remove()` takes both away.
 */
export function freshIpcEndpoint(): { readonly endpoint: string; readonly remove: () => void } {
  for (const base of new Set([tmpdir(), '/tmp'])) {
    const directory = freshDirectory(base);
    if (directory === null) continue;
    const path = join(directory, 's');
    const remove = (): void => rmSync(directory, { recursive: true, force: true });
    if (Buffer.byteLength(path) <= MAX_IPC_PATH) return { endpoint: `ipc://${path}`, remove };
    remove();
  }
  throw new DafError('ERR_DAF_IO', `no directory for a socket: ${tmpdir()} is too long or cannot be written`, {
    hint: 'set TMPDIR to a short, writable directory',
  });
}

function freshDirectory(base: string): string | null {
  try {
    return mkdtempSync(join(base, 'daf-'));
  } catch {
    return null;
  }
}

/**
 * Checks an endpoint that is to be bound or connected.
 * @throws DafError ERR_DAF_BAD_OPTION
 */
export function checkEndpoint(endpoint: string): void {
  if (endpoint.startsWith('ipc://')) {
    const path = endpoint.slice('ipc://'.length);
    if (path === '' || Buffer.byteLength(path) > MAX_IPC_PATH) {
      throw bad(endpoint, `a socket path has 1 to ${MAX_IPC_PATH} bytes, this one ${Buffer.byteLength(path)}`);
    }
    return;
  }
  const match = /^tcp:\/\/(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(endpoint);
  if (match === null || Number(match[2]) > 65535) throw bad(endpoint, 'expected ipc:///path or tcp://host:port');
  if (!isLoopback(match[1]!)) {
    // Encrypted, authenticated endpoints (CURVE with an allow-list) take their place here.
    throw bad(endpoint, 'only loopback addresses: traffic is not encrypted yet');
  }
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
