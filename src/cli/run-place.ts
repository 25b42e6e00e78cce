import type { Command } from 'commander';
import { DafError } from '../core/contracts/errors.js';
import type { Cluster } from '../engine/cluster/cluster.js';
import { addRemoteOptions, connect } from './job-options.js';
import { addLocalOptions, openLocal } from './local-options.js';

/** Options of commands that do their work on this machine or, with --connect, elsewhere. */
export function addPlaceOptions(command: Command): void {
  addLocalOptions(command);
  command.option('-c, --connect <endpoint>', 'a coordinator whose workers do it, instead of this machine');
  addRemoteOptions(command);
}

export interface RunPlace {
  /** Begins the cluster that does it, or connects to one that runs. @param dataDir of the former: what it keeps of its jobs */
  open(dataDir?: string | null): Promise<Cluster>;
  readonly elsewhere: boolean;
}

/** Where it is done. @throws DafError ERR_DAF_BAD_OPTION for options of the other place */
export function runPlace(options: Record<string, unknown>): RunPlace {
  const elsewhere = options['connect'] !== undefined;
  if (elsewhere)
    refuseOptions(options, LOCAL_ONLY, 'does not go with --connect', 'workers of a cluster are started with daf worker');
  else refuseOptions(options, REMOTE_ONLY, 'goes with --connect');
  return { open: (dataDir) => (elsewhere ? connect(options) : openLocal(options, dataDir)), elsewhere };
}

/** @throws DafError ERR_DAF_BAD_OPTION for the first of these that is given */
export function refuseOptions(options: Record<string, unknown>, names: readonly string[], why: string, hint?: string): void {
  const given = names.find((name) => options[name] !== undefined);
  if (given === undefined) return;
  const flag = given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new DafError('ERR_DAF_BAD_OPTION', `--${flag} ${why}`, { hint: hint ?? '--help says more' });
}

/** Names of all that {@link addPlaceOptions} adds. */
export const PLACE_OPTIONS = ['workers', 'threads', 'memory', 'connect', 'token', 'key', 'serverKey', 'timeout'] as const;
const LOCAL_ONLY = ['workers', 'threads', 'memory'] as const;
const REMOTE_ONLY = ['token', 'key', 'serverKey', 'timeout', 'sendPhotos', 'detach'] as const;
