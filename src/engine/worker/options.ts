import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { StageCode } from '../../core/contracts/job.js';
import type { ProcessOptions } from '../../core/contracts/process.js';
import { clientSecurity, type KeyPair, withServerKey } from '../wire/index.js';

/** Options of a worker process, complete and checked. */
export interface WorkerOptions extends ProcessOptions {
  /** Where the coordinator listens, with its public key where it is encrypted. */
  readonly endpoint: string;
  /** The own keys; with them the data socket is encrypted too. */
  readonly keys: KeyPair | null;
  /** Public keys that may read from the data socket beside the own one: a file or directory. */
  readonly allow: string | null;
  /** Where to serve data; null: on the address that reaches the coordinator, any free port. */
  readonly dataEndpoint: string | null;
  /** Unique among the workers of a cluster, and to this life of the process. */
  readonly name: string;
  /** Identifies the machine: workers of one host read each other's files. */
  readonly host: string;
  /** Intermediate data and scratch files; several workers of a host may share it. */
  readonly dataDir: string;
  /** Bytes this process may use, its children included. */
  readonly budgetBytes: number;
  /** Task threads, 1…64. */
  readonly threads: number;
  /** The runner module for each kind of code. */
  readonly runners: Readonly<Record<StageCode['kind'], string>>;
}

// URLs, not imports: the worker does not know what runs in its threads.
export const RUNNERS: WorkerOptions['runners'] = {
  module: new URL('../stages/module-runner.js', import.meta.url).href,
  plugin: new URL('../stages/plugin-runner.js', import.meta.url).href,
};

/** A name that no other worker has or had. */
export function freshWorkerName(): string {
  return `${hostname()
    .replace(/[^A-Za-z0-9.-]/g, '-')
    .slice(0, 60)}-${process.pid}-${randomBytes(4).toString('hex')}`;
}

/** Name and boot of this machine: a file written before a reboot is none that can be trusted to be there. */
export function hostIdentity(): string {
  let boot = '';
  try {
    boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim().slice(0, 8);
  } catch {
    // Not Linux: the name has to do.
  }
  return `${hostname()}:${boot}`;
}

/** The part of {@link WorkerOptions} that says how to reach the coordinator, from what was typed. @throws DafError ERR_DAF_BAD_OPTION */
export function workerConnection(
  address: string,
  key: string | null,
  serverKey: string | null,
): Pick<WorkerOptions, 'endpoint' | 'keys'> {
  const security = clientSecurity(key, serverKey);
  return { endpoint: withServerKey(address, security?.serverKey ?? null), keys: security?.keys ?? null };
}
