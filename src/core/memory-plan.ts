import { MAX_KEY_BYTES } from './contracts/record.js';

const MB = 2 ** 20;

/** What a worker process takes before it runs any task, and what each task thread adds: measured, rounded up. Bytes. */
const WORKER_BASE = 64 * MB;
const THREAD_BASE = 24 * MB;

/** Runs or segments that a merge reads at a time. */
export const MERGE_FAN_IN = 32;
/** Of each of them two blocks, which are larger only where a key alone is. */
const MERGE_SOURCE = 128 << 10;
/** For batches of merged groups: takes the longest key, and a good part of a value. */
export const GROUP_BUFFER_BYTES = MAX_KEY_BYTES + (192 << 10);

/** Fetches of one task at a time. */
export const FETCHES = 4;
/** What may lie in memory for one of them. */
export const FETCH_BYTES = 1 << 20;

/** What a task takes of its worker's budget, by what for. Bytes. */
export interface TaskPlan {
  /** The sort buffer of a map that has reducers. */
  readonly sort: number;
  /** Sources of the largest merge and the groups that come out of it. */
  readonly merge: number;
  /** What is fetched from other hosts, on its way to the disk. */
  readonly fetch: number;
  /** What the job declares beside: user code, models, plugin children, native arenas. */
  readonly scratch: number;
}

/** What the merge of so many sources takes, none where there are none. */
export function mergeBytes(sources: number): number {
  return sources === 0 ? 0 : Math.min(sources, MERGE_FAN_IN) * MERGE_SOURCE + GROUP_BUFFER_BYTES;
}

export function fetchBytes(sources: number): number {
  return Math.min(sources, FETCHES) * FETCH_BYTES;
}

/** The most that a task takes at once: it has fetched before its code begins, and its sort buffer is gone when its runs are merged. */
export function planned({ sort, merge, fetch, scratch }: TaskPlan): number {
  return Math.max(fetch, scratch + Math.max(sort, merge));
}

/** Bytes of a worker's budget that are left for what its tasks reserve. */
export function taskBudget(budgetBytes: number, threads: number): number {
  return Math.max(0, budgetBytes - WORKER_BASE - threads * THREAD_BASE);
}

/** The least budget of a worker in which a task of this size fits: the inverse of {@link taskBudget}. Whole MB, in bytes. */
export function workerMemoryFor(taskBytes: number, threads: number): number {
  return Math.ceil((taskBytes + WORKER_BASE + threads * THREAD_BASE) / MB) * MB;
}

export const DEFAULT_WORKER_MEMORY = 512 * MB;
/** Below this not even a small task fits. */
export const LEAST_WORKER_MEMORY = WORKER_BASE + THREAD_BASE + 32 * MB;

const DEFAULT_SORT_BUFFER = 64 * MB;
const DEFAULT_TASK = 96 * MB;

/** What a job's tasks reserve where it does not say: all defaults, less on workers that are smaller than usual. */
export function defaultTaskMemory(budgetBytes: number, threads: number): { readonly sortBuffer: number; readonly task: number } {
  const each = taskBudget(budgetBytes, threads) / threads;
  const sortBuffer = Math.min(DEFAULT_SORT_BUFFER, Math.max(8 * MB, Math.floor(each / 2 / MB) * MB));
  return { sortBuffer, task: Math.min(DEFAULT_TASK, Math.max(16 * MB, Math.floor(each - sortBuffer))) };
}
