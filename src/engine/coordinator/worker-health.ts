/** Failures in a row that put a worker aside. */
const FAILURES = 4;
const FIRST_MS = 10_000;
const LONGEST_MS = 300_000;
/** How long, and of how many, the failures of workers that have gone are remembered: none is aside for longer. */
const GONE_MS = LONGEST_MS;
const MAX_GONE = 1000;
/** How much the newest task counts for a worker's pace. */
const NEWEST = 0.3;

interface Health {
  host: string;
  failures: number;
  /** How often it has been put aside since its last success. */
  times: number;
  until: number;
  pace: number;
}

interface Gone {
  readonly health: Health;
  readonly at: number;
}

/**
 * What workers have shown so far. One that fails again and again is put aside, each time for twice as long; one success clears it. A worker's
 * pace is how long its tasks take compared with others of their stage: 1 is average, 2 half as fast. To go does not clear it: a process
 * that comes back has a new name, so the next newcomer of a host takes over what one that left it had against it.
 */
export class WorkerHealth {
  readonly #health = new Map<string, Health>();
  /** Those with failures that are not there, by name, longest gone first. */
  readonly #gone = new Map<string, Gone>();
  /** No worker has been put aside for longer than until then. */
  #latest = 0;

  failed(worker: string, now: number): void {
    const health = this.#of(worker);
    health.failures += 1;
    if (health.failures < FAILURES) return;
    health.failures = 0;
    health.until = now + Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(health.times, 16));
    health.times += 1;
    this.#latest = Math.max(this.#latest, health.until);
  }

  /** @param relative duration of the task divided by what others of its stage took */
  succeeded(worker: string, relative: number): void {
    const health = this.#of(worker);
    health.failures = 0;
    health.times = 0;
    health.until = 0;
    health.pace += NEWEST * (relative - health.pace);
  }

  /** To be called when a worker says hello; it may have been there all along. */
  arrived(worker: string, host: string, now: number): void {
    if (this.#health.has(worker)) return;
    this.#forgetLongGone(now);
    const before = this.#gone.has(worker) ? worker : this.#lastGoneOf(host);
    const health = before === undefined ? undefined : this.#gone.get(before)?.health;
    if (before !== undefined) this.#gone.delete(before);
    this.#health.set(worker, health ?? { host, failures: 0, times: 0, until: 0, pace: 1 });
  }

  /** It said goodbye, or its lease ended. */
  left(worker: string, now: number): void {
    const health = this.#health.get(worker);
    if (health === undefined) return;
    this.#health.delete(worker);
    if (health.failures === 0 && health.times === 0) return;
    this.#gone.set(worker, { health, at: now });
    this.#forgetLongGone(now);
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
    return now < this.#latest;
  }

  #forgetLongGone(now: number): void {
    for (const [worker, { at }] of this.#gone) {
      if (now - at < GONE_MS && this.#gone.size <= MAX_GONE) return;
      this.#gone.delete(worker);
    }
  }

  #lastGoneOf(host: string): string | undefined {
    let last: string | undefined;
    for (const [worker, { health }] of this.#gone) if (health.host === host) last = worker;
    return last;
  }

  #of(worker: string): Health {
    let health = this.#health.get(worker);
    if (health === undefined) {
      health = { host: '', failures: 0, times: 0, until: 0, pace: 1 };
      this.#health.set(worker, health);
    }
    return health;
  }
}
