import { DafError } from '../../core/contracts/errors.js';
import type { BlobStore, StateStore } from '../../core/contracts/stores.js';
import type { VirtualClock } from './clock.js';
import type { Random } from './random.js';

export interface StoreFaults {
  /** A call fails; half of the times after it took effect, as when an answer is lost. */
  readonly fail: number;
  /** The coordinator dies at a call, before or after it takes effect. */
  readonly crash: number;
}

/** One coordinator process: once it is dead nothing it began goes on. */
export interface Life {
  dead: boolean;
  faults(): StoreFaults;
  crash(): void;
}

/**
 * A store as one coordinator process sees it: calls take time, fail before or after their effect, and the process may die at each of
 * them. Reads and writes go to the shared store behind it.
 */
export function throughLife<S extends StateStore | BlobStore>(store: S, life: Life, clock: VirtualClock, random: Random): S {
  const pass = async (act: () => unknown): Promise<unknown> => {
    const { fail, crash } = life.faults();
    await clock.sleep(random.next() * 4);
    if (life.dead) return never();
    const dies = random.chance(crash);
    if (dies && random.chance(0.5)) {
      life.crash();
      return never();
    }
    const fails = random.chance(fail);
    if (fails && random.chance(0.5)) throw new DafError('ERR_DAF_IO', 'simulated: not written', { retryable: true });
    const answer = await act();
    if (dies) {
      life.crash();
      return never();
    }
    await clock.sleep(random.next() * 2);
    if (life.dead) return never();
    if (fails) throw new DafError('ERR_DAF_IO', 'simulated: written, but the answer was lost', { retryable: true });
    return answer;
  };
  return new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name, target) as unknown;
      if (typeof member !== 'function') return member;
      if (name === 'list' || name === 'localPath') return member.bind(target) as unknown;
      return (...args: unknown[]) => pass(() => (member as (...all: unknown[]) => unknown).apply(target, args));
    },
  });
}

function never(): Promise<never> {
  return new Promise(() => {});
}
