/** Tasks shorter than this are fetched ahead and cross into a thread in batches. */
const SHORT_MS = 5;
const MAX_AHEAD = 480;
const MAX_TASKS_A_CROSSING = 128;
/** Work that is fetched ahead, and that crosses at once. */
const AHEAD_MS = 50;
const CROSSING_MS = 10;
/**
 * Tasks shorter than this have the next one of their thread waiting when they end: the way to the coordinator and back would be time lost.
 */
const MEDIUM_MS = 100;
/** Crossings for each thread at a time at most: one runs, another waits in the pool's queue. */
export const MAX_CROSSINGS_A_THREAD = 2;
/** How much the newest task counts. */
const NEWEST = 0.2;

/**
 * How long tasks take here, and so how many of them to hold ahead of their turn. Kinds of tasks (a stage of a step of a job) are told apart;
 * those of one that nothing is known of yet count as long.
 */
export class Pace {
  readonly #threads: number;
  /** Milliseconds that tasks of a kind take, the newest counting most. */
  readonly #means = new Map<string, number>();
  #last = '';

  constructor(threads: number) {
    this.#threads = threads;
  }

  note(kind: string, milliseconds: number): void {
    const mean = this.#means.get(kind) ?? milliseconds;
    this.#means.set(kind, mean + NEWEST * (milliseconds - mean));
    this.#last = kind;
  }

  /** The tasks of these kinds are over. */
  forget(isOver: (kind: string) => boolean): void {
    for (const kind of this.#means.keys()) if (isOver(kind)) this.#means.delete(kind);
  }

  /**
   * Attempts to hold beside those that run: as few as will do, since what one worker holds no other can take.
   * @param held kinds of those held now; without any, those that ran last say what will come
   */
  ahead(held: ReadonlySet<string>): number {
    const kinds = held.size === 0 ? [this.#last] : held;
    let longest = 0;
    for (const kind of kinds) longest = Math.max(longest, this.#mean(kind));
    if (longest >= MEDIUM_MS) return 0;
    return longest < SHORT_MS ? Math.min(MAX_AHEAD, coarse(AHEAD_MS / longest)) : this.#threads;
  }

  /** Attempts that cross into a thread together. */
  crossing(kind: string): number {
    const mean = this.#mean(kind);
    return mean < SHORT_MS ? Math.min(MAX_TASKS_A_CROSSING, Math.ceil(CROSSING_MS / mean)) : 1;
  }

  /** Crossings for each thread at a time. */
  crossingsAThread(kind: string): number {
    return this.#mean(kind) < MEDIUM_MS ? MAX_CROSSINGS_A_THREAD : 1;
  }

  #mean(kind: string): number {
    return this.#means.get(kind) ?? Number.POSITIVE_INFINITY;
  }
}

/** A power of two: every other number would be told to the coordinator. */
function coarse(count: number): number {
  return 2 ** Math.round(Math.log2(Math.max(1, count)));
}
