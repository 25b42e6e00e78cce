import { DafError } from '../core/contracts/errors.js';

/** @throws DafError ERR_DAF_CANCELLED */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled(signal);
}

/** What `work` gives, or ERR_DAF_CANCELLED as soon as the signal says so: what cannot be stopped ends by itself, and nobody waits for it. */
export async function abortable<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  throwIfAborted(signal);
  if (signal === undefined) return work();
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(cancelled(signal));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Lets timers and signals have their turn between two pieces of work. @throws DafError ERR_DAF_CANCELLED */
export async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  throwIfAborted(signal);
}

function cancelled({ reason }: AbortSignal): DafError {
  return DafError.is(reason) ? reason : new DafError('ERR_DAF_CANCELLED', 'cancelled', { cause: reason });
}
