/** Named sums over a job. Only committed attempts count. */
export interface Counters {
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
