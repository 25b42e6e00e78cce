const MB = 2 ** 20;

/**
 * Of a coordinator. The old space may grow to four times what lived after its last collection: below a limit of some hundred megabytes V8 lets it
 * grow by a third, and marked ten live megabytes eight times a second. Workers stay as they are: this took 30 MB of each.
 */
export const COORDINATOR_FLAGS: readonly string[] = ['--max-old-space-size=256', ...youngSpace(16), '--heap-growing-percent=300'];

/** Of a worker, whose main thread only does I/O; task threads have limits of their own. @param memory its budget, bytes */
export function workerFlags(memory: number): readonly string[] {
  return [`--max-old-space-size=${Math.max(48, Math.floor(memory / 4 / MB))}`, ...youngSpace(4)];
}

/** As large from the start as it may become: of a small one that grows V8 moves most of what is in flight into the old space, for nothing. */
function youngSpace(megabytes: number): string[] {
  return [`--min-semi-space-size=${megabytes}`, `--max-semi-space-size=${megabytes}`];
}
