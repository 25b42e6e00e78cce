import type { VirtualClock } from './clock.js';
import type { Random } from './random.js';

export interface NetworkFaults {
  readonly drop: number;
  readonly duplicate: number;
  /** Longest delay of a message, ms; random delays reorder. */
  readonly delay: number;
  /** Per message: the link is cut for a while. */
  readonly cut: number;
}

const CALM: NetworkFaults = { drop: 0, duplicate: 0, delay: 3, cut: 0 };

/** Carries messages between named ends, badly until {@link calm}. */
export class Network {
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #cut = new Map<string, number>();
  #faults: NetworkFaults;
  delivered = 0;

  constructor(clock: VirtualClock, random: Random, faults: NetworkFaults) {
    this.#clock = clock;
    this.#random = random;
    this.#faults = faults;
  }

  calm(): void {
    this.#faults = CALM;
    this.#cut.clear();
  }

  /** `link` names both ends, whoever sends: a partition cuts both ways. */
  send(link: string, deliver: () => void): void {
    const { drop, duplicate, delay, cut } = this.#faults;
    if (this.#random.chance(cut)) this.#cut.set(link, this.#clock.now + this.#random.whole(100, 3000));
    if ((this.#cut.get(link) ?? 0) > this.#clock.now || this.#random.chance(drop)) return;
    for (let copies = this.#random.chance(duplicate) ? 2 : 1; copies > 0; copies--) {
      this.#clock.after(0.1 + this.#random.next() * delay, () => {
        this.delivered += 1;
        deliver();
      });
    }
  }
}
