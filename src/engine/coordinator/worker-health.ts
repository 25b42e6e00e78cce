/** Failures in a row that put a worker aside. */
const FAILURES = 4;
const FIRST_MS = 10_000;
const LONGEST_MS = 300_000;
/** How much the newest task counts for a worker's pace. */
const NEWEST = 0.3;

interface Health {
  failures: number;
  /** How often it has been put aside since its last success. */
  times: number;
  until: number;
  pace: number;
}

/**
 * What workers have shown so far. One that fails again and again is put aside, each time for twice as long; one success clears it. A worker's
 * pace is how long its tasks take compared with others of their stage: 1 is average, 2 half as fast.
 */
export class WorkerHealth {
  readonly #health = new Map<string, Health>();

  failed(worker: string, now: number): void {
    const health = this.#of(worker);
    health.failures += 1;
    if (health.failures < FAILURES) return;
    health.failures = 0;
    health.until = now + Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(health.times, 16));
    health.times += 1;
  }

  /** @param relative duration of the task divided by what others of its stage took */
  succeeded(worker: string, relative: number): void {
    const health = this.#of(worker);
    health.failures = 0;
    health.times = 0;
    health.until = 0;
    health.pace += NEWEST * (relative - health.pace);
  }

  forget(worker: string): void {
    this.#health.delete(worker);
  }

  pace(worker: string): number {
    return this.#health.get(worker)?.pace ?? 1;
  }

  isAside(worker: string, now: number): boolean {
    return now < (this.#health.get(worker)?.until ?? 0);
  }

  /**
   * The workers to leave out now. Never more than half of them: when most fail it is not the workers.
   * @param workers all there are
   */
  aside(workers: Iterable<string>, now: number): ReadonlySet<string> {
    let count = 0;
    const aside: string[] = [];
    for (const worker of workers) {
      count += 1;
      if (this.isAside(worker, now)) aside.push(worker);
    }
    return new Set(aside.slice(0, Math.floor(count / 2)));
  }

  /** True when any worker may be aside: spares looking at all of them. */
  any(now: number): boolean {
    for (const { until } of this.#health.values()) if (now < until) return true;
    return false;
  }

  #of(worker: string): Health {
    let health = this.#health.get(worker);
    if (health === undefined) {
      health = { failures: 0, times: 0, until: 0, pace: 1 };
      this.#health.set(worker, health);
    }
    return health;
  }
}
