import { setFlagsFromString } from 'node:v8';
import { Piscina } from 'piscina';
import { addon } from '../../core/addon/index.js';
import { DafError, toWire } from '../../core/contracts/errors.js';
import type { TaskInput } from '../../core/contracts/task.js';
import { taskBudget } from '../../core/memory-plan.js';
import { packInputs, type Returning, unpackResults } from './crossing.js';
import { LOST_WITH_THREAD, type Stray } from './strays.js';
import type { TaskResult } from './task-result.js';

const MB = 2 ** 20;

/** The task threads. A batch of attempts of one job goes to one thread; every attempt gets an answer, whatever happens to the thread. */
export class TaskPool {
  readonly #piscina: Piscina;

  /** @param onStray takes what jobs' code did in the threads outside its tasks */
  constructor(budgetBytes: number, threads: number, onStray: (stray: Stray) => void) {
    const available = taskBudget(budgetBytes, threads);
    addon().setMemoryLimit(available);
    const young = youngSpace(available / threads);
    // A limit of the young space given to a thread counts for nothing beside a flag of the process, and such a flag keeps the main thread small.
    for (const bound of ['min', 'max']) setFlagsFromString(`--${bound}-semi-space-size=${young}`);
    this.#piscina = new Piscina({
      filename: new URL('./task-thread.js', import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      // A thread that sleeps between its tasks never hears of what they left undone.
      atomics: 'disabled',
      // V8's own limits: they end a thread, not the process, and see neither Buffers nor native memory.
      resourceLimits: {
        maxOldGenerationSizeMb: Math.max(48, Math.floor(available / threads / MB)),
      },
    });
    this.#piscina.on('message', (message: { readonly stray: Stray }) => onStray(message.stray));
    // Of a thread that ended between its tasks; another one stands in for it.
    this.#piscina.on('error', (error: unknown) => onStray({ job: null, error: toWire(threadError(error, null)) }));
  }

  async run(inputs: readonly TaskInput[], signal: AbortSignal): Promise<TaskResult[]> {
    const started = performance.now();
    try {
      return unpackResults((await this.#piscina.run(packInputs(inputs), { signal })) as Returning);
    } catch (error) {
      const failure = toWire(threadError(error, signal));
      const milliseconds = performance.now() - started;
      return inputs.map(() => ({ outcome: { kind: 'failed', error: failure, lost: [] }, milliseconds, nativePeakBytes: 0 }));
    }
  }

  async close(): Promise<void> {
    await this.#piscina.destroy();
  }
}

/**
 * Half of a thread's young space, MB, from what a thread may use, bytes. It is collected each time it is full, which for short tasks costs more than
 * they do: at 12 MB a worker of one thread has 88 MB at its peak (core/memory-plan.ts) and spends a tenth less than at 4 MB.
 */
function youngSpace(bytes: number): number {
  return Math.max(4, Math.min(12, Math.floor(bytes / MB / 30)));
}

/** The thread itself ended: out of memory, an unhandled rejection or process.exit in user code, or aborted. */
function threadError(error: unknown, signal: AbortSignal | null): DafError {
  if (signal?.aborted) return new DafError('ERR_DAF_CANCELLED', 'the attempt was cancelled and did not stop by itself');
  if ((error as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new DafError('ERR_DAF_MEMORY_LIMIT', 'the task filled the JavaScript heap of its thread', {
      hint: 'raise --memory, use smaller splits, or hold less at once',
      cause: error,
    });
  }
  if ((error as { code?: string }).code === LOST_WITH_THREAD) return new DafError(LOST_WITH_THREAD, (error as Error).message);
  return new DafError('ERR_DAF_USER_CODE', `the task's thread ended: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  });
}
