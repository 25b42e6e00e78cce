import { TimeHeap } from '../../engine/coordinator/heap.js';

/** Virtual time: nothing waits, everything happens in the order of its time. */
export class VirtualClock {
  readonly #events = new TimeHeap<() => void>();
  #now = 1;

  get now(): number {
    return this.#now;
  }

  after(ms: number, act: () => void): void {
    this.#events.push(this.#now + Math.max(0, ms), act);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /**
   * Runs event after event, and all promises an event settles before the next one, until `done` or `limit` (ms of virtual time).
   * @param afterEach called after every event
   * @returns whether `done` came true
   */
  async run(done: () => boolean, limit: number, afterEach: () => void): Promise<boolean> {
    while (!done()) {
      if (this.#events.size === 0 || this.#events.next > limit) return false;
      this.#now = Math.max(this.#now, this.#events.next);
      this.#events.popDue(this.#now)?.();
      await settled();
      afterEach();
    }
    return true;
  }
}

/** Every microtask runs before the next tick, which costs no turn of the event loop as an immediate would. */
function settled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
