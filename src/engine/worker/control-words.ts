/** Of native/base/control.h: cancel, done, total; and one to fill 16 bytes. */
const WORDS = 4;
const ATTEMPTS = 64;

/** The shared words of attempts, many in one buffer: a message to a thread that names a buffer each costs more than short tasks do. */
export class ControlWords {
  #words: Int32Array = new Int32Array(0);
  #used = 0;

  /** Words of zero that were nobody's before. */
  next(): Int32Array {
    if (this.#used === this.#words.length) {
      this.#words = new Int32Array(new SharedArrayBuffer(ATTEMPTS * WORDS * Int32Array.BYTES_PER_ELEMENT));
      this.#used = 0;
    }
    const from = this.#used;
    this.#used += WORDS;
    return this.#words.subarray(from, from + WORDS - 1);
  }
}
