import { DafError } from '../../../core/contracts/errors.js';

/** Where a Redis or Valkey server is, and which part of it is ours. */
export interface RedisPlace {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username: string | null;
  readonly password: string | null;
  readonly tls: boolean;
  /** Keys begin with it, in braces: a hash tag. */
  readonly prefix: string;
  /** A write is answered once this many replicas have it. */
  readonly replicas: number;
  /** The URL without user and password: for logs and errors. */
  readonly shown: string;
}

const PROTOCOLS: Readonly<Record<string, { readonly tls: boolean }>> = {
  'redis:': { tls: false },
  'valkey:': { tls: false },
  'rediss:': { tls: true },
  'valkeys:': { tls: true },
};

/** True for a URL that {@link parseRedisUrl} is for. */
export function isRedisUrl(place: string): boolean {
  return /^(redis|valkey)s?:/i.test(place);
}

/**
 * `redis://[user:password@]host[:6379][/database][?prefix=daf&replicas=0]`; `rediss:` with TLS, `valkey:` and `valkeys:` likewise.
 * @throws DafError ERR_DAF_BAD_OPTION; its message never holds the password
 */
export function parseRedisUrl(text: string): RedisPlace {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw bad('the state’s address is not a URL');
  }
  const protocol = PROTOCOLS[url.protocol];
  if (protocol === undefined || url.hostname === '') throw bad(`${url.protocol}//${url.host}: not a Redis server`);
  const shown = `${url.protocol}//${url.host}${url.pathname === '/' ? '' : url.pathname}`;
  const db = Number(url.pathname.slice(1));
  if (!/^\/?\d{0,4}$/.test(url.pathname)) throw bad(`${shown}: the path is the number of a database`);
  for (const name of url.searchParams.keys()) {
    if (name !== 'prefix' && name !== 'replicas') throw bad(`${shown}: no parameter "${name}"; there are prefix and replicas`);
  }
  const prefix = url.searchParams.get('prefix') ?? 'daf';
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(prefix)) throw bad(`${shown}: a prefix has 1 to 64 letters, digits, dots, dashes`);
  const replicas = url.searchParams.get('replicas') ?? '0';
  if (!/^\d{1,2}$/.test(replicas)) throw bad(`${shown}: replicas is a whole number from 0 to 99`);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 6379 : Number(url.port),
    db,
    username: url.username === '' ? null : decodeURIComponent(url.username),
    password: url.password === '' ? null : decodeURIComponent(url.password),
    tls: protocol.tls,
    prefix,
    replicas: Number(replicas),
    shown,
  };
}

function bad(message: string): DafError {
  return new DafError('ERR_DAF_BAD_OPTION', message, {
    hint: 'redis://[user:password@]host[:port][/database][?prefix=daf&replicas=0]',
  });
}
