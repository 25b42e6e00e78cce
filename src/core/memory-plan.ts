const MB = 2 ** 20;

/** What a worker process takes before it runs any task, and what each task thread adds: measured, rounded up. Bytes. */
const WORKER_BASE = 64 * MB;
const THREAD_BASE = 24 * MB;

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
