/** Draws that depend on what they are made from and on nothing else: the same on every machine. */
export class Draws {
  #state = 0x9e3779b9;

  /** @param parts whole numbers, 0…2⁵³−1: whose draws these are. */
  constructor(...parts: readonly number[]) {
    for (const part of parts) {
      this.#state = scrambled(this.#state ^ (part >>> 0));
      this.#state = scrambled(this.#state ^ Math.floor(part / 2 ** 32));
    }
  }

  /** The next 32 bits (mulberry32). */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** low ≤ number < high */
  uniform(low: number, high: number): number {
    return low + ((high - low) * this.bits()) / 2 ** 32;
  }

  chance(share: number): boolean {
    return this.uniform(0, 1) < share;
  }

  /** A whole number, 0…below − 1. */
  below(below: number): number {
    return Math.floor(this.uniform(0, below));
  }
}

/** MurmurHash3's finalizer: every bit of the result hangs on every bit of the number. */
function scrambled(number: number): number {
  let h = number | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
