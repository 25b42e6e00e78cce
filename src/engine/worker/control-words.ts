/** Of native/base/control.h: cancel, done, total; and one that its thread sets once the attempt has begun. */
export const CONTROL_WORDS = 4;
const BEGUN = 3;
const ATTEMPTS = 64;

/** The shared words of attempts, many in one buffer: a message to a thread that names a buffer each costs more than short tasks do. */
export class ControlWords {
  #words: Int32Array = new Int32Array(0);
  #used = 0;

  /** Words of zero that were nobody's before. */
  next(): Int32Array {
    if (this.#used === this.#words.length) {
      this.#words = new Int32Array(new SharedArrayBuffer(ATTEMPTS * CONTROL_WORDS * Int32Array.BYTES_PER_ELEMENT));
      this.#used = 0;
    }
    const from = this.#used;
    this.#used += CONTROL_WORDS;
    return this.#words.subarray(from, from + CONTROL_WORDS);
  }
}

/** To be called by the thread. */
export function setBegun(control: Int32Array): void {
  Atomics.store(control, BEGUN, 1);
}

/** False while an attempt waits in its thread for others. */
export function hasBegun(control: Int32Array): boolean {
  return Atomics.load(control, BEGUN) !== 0;
}
