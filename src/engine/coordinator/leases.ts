/**
 * Things that stay alive by being named. All have the same period, so the order of renewal is the order of expiry: a Map in insertion
 * order renews and expires in constant time, however many there are.
 */
export class Leases<T> {
  readonly #renewed = new Map<T, number>();
  readonly #period: number;

  constructor(periodMs: number) {
    this.#period = periodMs;
  }

  renew(holder: T, now: number): void {
    if (this.#renewed.get(holder) === now) return; // one message may name a worker many times
    this.#renewed.delete(holder);
    this.#renewed.set(holder, now);
  }

  end(holder: T): void {
    this.#renewed.delete(holder);
  }

  has(holder: T): boolean {
    return this.#renewed.has(holder);
  }

  renewedAt(holder: T): number | undefined {
    return this.#renewed.get(holder);
  }

  /** Removes and returns those not renewed for a whole period. */
  expire(now: number): T[] {
    const gone: T[] = [];
    for (const [holder, at] of this.#renewed) {
      if (now - at < this.#period) break;
      gone.push(holder);
    }
    for (const holder of gone) this.#renewed.delete(holder);
    return gone;
  }
}
