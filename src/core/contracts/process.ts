import { DafError, type WireError } from './errors.js';

/**
 * What a process that was started by another says about itself: one JSON object a line, on the descriptor named by `readyFd`
 * (`--ready-fd`). The first line is `ready` or `failed`; the descriptor then stays open, and its end means the process has ended.
 */
export type ProcessLine =
  | {
      readonly event: 'ready';
      readonly role: 'coordinator' | 'worker';
      readonly pid: number;
      /** Coordinator: the endpoints really bound, ports filled in. Worker: where it is connected. */
      readonly endpoints: readonly string[];
      /** Coordinator: its term. Worker: the term that welcomed it. */
      readonly term: number;
    }
  | { readonly event: 'failed'; readonly error: WireError };

/** What every process shell accepts, whoever starts it. */
export interface ProcessOptions {
  /** Where to write {@link ProcessLine}s; null for nowhere. */
  readonly readyFd: number | null;
  /** Ends when this process is gone; null to live on. */
  readonly parentPid: number | null;
  /** Secret that every hello must carry; null where the endpoint itself keeps strangers out (ipc, loopback by choice). */
  readonly token: string | null;
}

/** Options of `daf coordinator`, complete and checked. */
export interface CoordinatorOptions extends ProcessOptions {
  /**
   * `ipc:///path` (≤ 107 bytes of path) or `tcp://127.0.0.1:port` (0: any free port); with keys and a token also what other machines
   * reach. At least one.
   */
  readonly endpoints: readonly string[];
  /** The StateStore: a directory, or the URL of a Redis or Valkey server. It may hold a password: never log it. */
  readonly state: string;
  /** File of its secret key, and of the public keys that may connect (or their directory); both or neither. */
  readonly key: string | null;
  readonly allow: string | null;
  /** How often workers must report. Default 1000 ms. */
  readonly heartbeatMs: number;
  /** A worker silent for this long has lost its leases. Default 10 000 ms; at least three heartbeats. */
  readonly leaseMs: number;
}

export const DEFAULT_HEARTBEAT_MS = 1000;
export const DEFAULT_LEASE_MS = 10_000;

/** What a coordinator's process ends with: 3 when it was fenced, so that a supervisor can tell; 1 for any other failure. */
export function coordinatorExitCode(error: unknown): number {
  return DafError.is(error) && error.code === 'ERR_DAF_FENCED' ? 3 : 1;
}
