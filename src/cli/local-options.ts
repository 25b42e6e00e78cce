import type { Command } from 'commander';
import type { Cluster } from '../engine/cluster/cluster.js';
import type { LocalOptions } from '../engine/cluster/options.js';
import { wholeNumber } from './command.js';

/** Options of commands that start a cluster of this machine. */
export function addLocalOptions(command: Command): void {
  command
    .option('-w, --workers <n>', 'worker processes (default: cores, or what memory admits)', wholeNumber('--workers', 1, 256))
    .option('--threads <n>', 'task threads of each worker (default: 1)', wholeNumber('--threads', 1, 64))
    .option('--memory <size>', 'budget of each worker (default: 512MB)');
}

export function localOptions(options: Record<string, unknown>): LocalOptions {
  const given = ['workers', 'threads', 'memory'].filter((key) => options[key] !== undefined).map((key) => [key, options[key]]);
  return Object.fromEntries(given);
}

/** Starts a cluster of this machine. @param dataDir null: a temporary one, so that nothing is known of its jobs afterwards */
export async function openLocal(options: Record<string, unknown>, dataDir: string | null = null): Promise<Cluster> {
  const { Cluster } = await import('../engine/cluster/cluster.js');
  return Cluster.local({ ...localOptions(options), ...(dataDir === null ? {} : { dataDir }) });
}
