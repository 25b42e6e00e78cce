import type { DafError } from '../../core/contracts/errors.js';
import type { BlobStore, StateStore } from '../../core/contracts/stores.js';
import type { Peer } from '../wire/index.js';
import type { CoreOptions } from './effects.js';

/** The world around the service; a simulation puts its own in. */
export interface ServicePorts {
  readonly state: StateStore;
  openOutput(url: string): BlobStore;
  /** Never throws; what a peer does not get is its loss. */
  send(peer: Peer, frames: readonly Uint8Array[]): void;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Calls back once what has arrived by now has been received; absent: at once. */
  afterArrivals?(then: () => void): void;
  /** Own peak of anonymous + shared memory, bytes. */
  ownPeak(): number;
  log(level: 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** This coordinator cannot go on: fenced, or its state cannot be written. */
  fatal(error: DafError): void;
}

export interface ServiceOptions extends Omit<CoreOptions, 'term'> {
  readonly token: string | null;
}
