import type { MemoryLimit } from '../../core/cgroup.js';
import { DafError } from '../../core/contracts/errors.js';
import { LEAST_WORKER_MEMORY } from '../../core/memory-plan.js';
import { formatBytes } from '../../core/options/index.js';

const MB = 2 ** 20;
/** For the launcher (with esbuild while it submits) and the coordinator together. */
export const RESERVE = 200 * MB;

export interface Shares {
  readonly workers: number;
  readonly memory: number;
}

/**
 * How many workers of what budget fit under a limit. A number that was asked for is kept and the budget made smaller; one that was not is
 * chosen so that the budget stays.
 * @throws DafError ERR_DAF_MEMORY_LIMIT when not even the smallest fit; ERR_DAF_BAD_OPTION for a budget below the least.
 */
export function shareMemory(
  wanted: { readonly workers: number | null; readonly memory: number; readonly memoryGiven: boolean; readonly cores: number },
  limit: MemoryLimit,
): Shares {
  if (wanted.memory < LEAST_WORKER_MEMORY) {
    throw new DafError(
      'ERR_DAF_BAD_OPTION',
      `memory ${formatBytes(wanted.memory)}: a worker needs at least ${formatBytes(LEAST_WORKER_MEMORY)}`,
    );
  }
  const room = limit.bytes - RESERVE;
  const workers = wanted.workers ?? Math.max(1, Math.min(wanted.cores, Math.floor(room / wanted.memory)));
  // Physical memory alone is no wall: other programs give way, and a budget is an upper bound.
  if (limit.source === null || workers * wanted.memory <= room) return { workers, memory: wanted.memory };
  const share = Math.floor(room / workers / MB) * MB;
  if (share >= LEAST_WORKER_MEMORY) return { workers, memory: share };
  throw new DafError(
    'ERR_DAF_MEMORY_LIMIT',
    `${workers} workers do not fit into the ${formatBytes(limit.bytes)} of ${limit.source}`,
    {
      hint: `start fewer workers: each needs ${formatBytes(LEAST_WORKER_MEMORY)}, and ${formatBytes(RESERVE)} are kept for the rest`,
    },
  );
}
