import type { Redis } from 'ioredis';
import { DafError } from '../../../core/contracts/errors.js';

/** What a server says of itself, as far as a coordinator's state depends on it. */
export interface ServerFacts {
  /** `redis 7.0.15`, `valkey 8.1.0`. */
  readonly server: string;
  readonly role: string;
  readonly isCluster: boolean;
  readonly hasAppendFile: boolean;
  /** `always`, `everysec`, `no`; null where the server does not tell. */
  readonly appendFsync: string | null;
  readonly evictionPolicy: string | null;
  readonly connectedReplicas: number;
}

/** Reads only. */
export async function serverFacts(redis: Redis): Promise<ServerFacts> {
  const info = parseInfo(await redis.info());
  const config = await redis.config('GET', 'appendfsync').catch(() => []);
  const policy = info.get('maxmemory_policy') ?? null;
  const valkey = info.get('valkey_version');
  return {
    server: valkey === undefined ? `redis ${info.get('redis_version') ?? 'of unknown version'}` : `valkey ${valkey}`,
    role: info.get('role') ?? 'unknown',
    isCluster: info.get('cluster_enabled') === '1',
    hasAppendFile: info.get('aof_enabled') === '1',
    appendFsync: (config as string[])[1] ?? null,
    evictionPolicy: policy,
    connectedReplicas: Number(info.get('connected_slaves') ?? 0),
  };
}

/**
 * Refuses a server that may lose what it has acknowledged.
 * @param shown the server's address without password
 * @returns what is allowed but worth a warning
 * @throws DafError ERR_DAF_UNSUPPORTED
 */
export function checkServer(facts: ServerFacts, shown: string, replicas: number): string[] {
  const refuse = (why: string, hint: string): never => {
    throw new DafError('ERR_DAF_UNSUPPORTED', `${shown} cannot keep a coordinator's state: ${why}`, { hint });
  };
  if (facts.isCluster) refuse('it runs in cluster mode', 'give it a server of its own; a primary with replicas may fail over');
  if (facts.role !== 'master') refuse(`it is a ${facts.role === 'slave' ? 'replica' : facts.role}`, 'name the primary');
  if (!facts.hasAppendFile)
    refuse('it writes no append-only file', 'CONFIG SET appendonly yes, and the same in its configuration');
  if (facts.appendFsync === 'no') refuse('appendfsync is no', 'CONFIG SET appendfsync always (or everysec)');
  if (facts.evictionPolicy?.startsWith('allkeys-') === true) {
    refuse(`maxmemory-policy ${facts.evictionPolicy} throws keys away`, 'CONFIG SET maxmemory-policy noeviction');
  }
  if (facts.connectedReplicas < replicas) {
    refuse(`${replicas} replicas are wanted, ${facts.connectedReplicas} are connected`, 'start them, or lower ?replicas=');
  }
  const warnings: string[] = [];
  if (facts.appendFsync === 'everysec') {
    warnings.push('appendfsync everysec: a power failure may take the last second of commits, which then run again');
  } else if (facts.appendFsync === null) {
    warnings.push('the server does not tell its appendfsync: it should be always or everysec');
  }
  return warnings;
}

function parseInfo(text: string): Map<string, string> {
  const pairs = text.split(/\r?\n/).map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const);
  return new Map(pairs.filter(([name]) => name !== ''));
}
