/** Farther from 0 no task counts (2^53 − 1): up to here a number is every whole number. */
export const MOST_COUNT = Number.MAX_SAFE_INTEGER;

/** Named sums over a job. Only committed attempts count. */
export interface Counters {
  /**
   * @param name up to 256 characters, not `__proto__`; a task has up to 4096 of them
   * @param amount default: 1. whole numbers are exact below 2^53; a task whose sum goes beyond that fails
   * @throws DafError ERR_DAF_BAD_ARGUMENT
   */
  add(name: string, amount?: number): void;
}

/**
 * Files an attempt makes beside its records. They become visible under their final names when the job publishes; two tasks that
 * claim one name fail the job.
 */
export interface TaskFiles {
  /**
   * @param name final name in the output store: relative, `/`-separated, no `..`, not below `_daf/`.
   * @param options.volatile true for files whose bytes may differ between runs; the manifest then names them without checksum.
   */
  put(name: string, bytes: Uint8Array | string, options?: { readonly volatile?: boolean }): Promise<void>;
  /** Moves a local file (of the scratch directory) to the outputs. */
  putFile(name: string, path: string, options?: { readonly volatile?: boolean }): Promise<void>;
}
