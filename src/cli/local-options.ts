import type { Command } from 'commander';
import type { Cluster } from '../engine/cluster/cluster.js';
import type { LocalOptions, SubmitOptions } from '../engine/cluster/options.js';
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

/**
 * The environment of the processes that do one job, beside that of this one. Node reads all certificates of NODE_EXTRA_CA_CERTS in every process
 * that it starts, which takes as long as the rest of its start twice over. A plugin or a shipped job opens no connection by itself, and the engine
 * only where an address is named: they do without. Modules may do as they like.
 */
export function jobEnvironment(job: string, wanted: SubmitOptions): Record<string, string> {
  const ours = job.startsWith('file:') || /\.(so|dylib|dll)$/.test(job);
  const remote = JSON.stringify(wanted).includes('://');
  return ours && !remote ? { NODE_EXTRA_CA_CERTS: '' } : {};
}

/** Starts a cluster of this machine. @param dataDir null: a temporary one, so that nothing is known of its jobs afterwards */
export async function openLocal(options: Record<string, unknown>, dataDir: string | null = null): Promise<Cluster> {
  const { Cluster } = await import('../engine/cluster/cluster.js');
  return Cluster.local({ ...localOptions(options), ...(dataDir === null ? {} : { dataDir }) });
}
