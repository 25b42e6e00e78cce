import type { Emit, Fold } from '../../core/contracts/stage.js';

/** Keys held at a time: those that came first, and with them the frequent ones. */
const MOST_KEYS = 16_384;
/** Values of a key that are combined at a time. */
const COMBINE_FROM = 16;
/** Shorter substrings V8 copies; longer ones would keep the text that they were cut from. */
const MOST_UNITS = 12;
/** After so many records it shows whether keys come again; where fewer than this part did, holding them is in vain. */
const TRIAL_RECORDS = 100_000;
const LEAST_HITS = 1 / 8;

/** What a combiner makes of some values of a key, through `emit` and in their order. */
export type CombineText = (key: string, values: readonly string[], emit: Emit) => void;

/**
 * Text records on their way from a map into the shuffle. The values of frequent keys are combined before they are packed, sorted and
 * spilled, which costs far more. All values of a key leave in the order of their emission.
 */
export class EmitFold implements Fold {
  readonly emit: Emit;
  readonly #out: Emit;
  readonly #combine: CombineText;
  readonly #held = new Map<string, string[]>();
  readonly #made: (string | Uint8Array)[] = [];
  #records = 0;
  #hits = 0;
  #off = false;

  constructor(combine: CombineText, out: Emit) {
    this.#combine = combine;
    this.#out = out;
    this.emit = (key, value) => this.#emit(key, value);
  }

  /** Hands on what is held. Call it once more at the end. */
  flush(): void {
    for (const [key, values] of this.#held) {
      if (values.length > 1) this.#shrink(key, values);
      this.#handOn(key, values);
    }
    this.#held.clear();
  }

  #emit(key: string | Uint8Array, value: string | Uint8Array): void {
    // Bytes may be the same key as a text.
    const stop = typeof key !== 'string' || (++this.#records === TRIAL_RECORDS && this.#hits < TRIAL_RECORDS * LEAST_HITS);
    if (stop && !this.#off) {
      this.#off = true;
      this.flush();
    }
    if (this.#off || typeof key !== 'string') {
      this.#out(key, value);
      return;
    }
    const values = this.#held.get(key);
    if (typeof value !== 'string' || value.length > MOST_UNITS) {
      if (values !== undefined) this.#handOn(key, values);
      this.#out(key, value);
    } else if (values !== undefined) {
      this.#hits++;
      values.push(value);
      if (values.length >= COMBINE_FROM) this.#shrink(key, values);
    } else if (this.#held.size < MOST_KEYS && key.length <= MOST_UNITS && oneEncoding(key)) {
      this.#held.set(key, [value]);
    } else {
      this.#out(key, value);
    }
  }

  /** Replaces values by what the combiner makes of them; where that is not much fewer, or no short text, it leaves at once. */
  #shrink(key: string, values: string[]): void {
    // Handed on only when the combiner is through: a full sort buffer would call it again.
    const made = this.#made;
    this.#combine(key, values, (_, value) => made.push(typeof value === 'string' ? value : value.slice()));
    values.length = 0;
    for (const value of made) {
      if (typeof value === 'string' && value.length <= MOST_UNITS) {
        values.push(value);
      } else {
        this.#handOn(key, values);
        this.#out(key, value);
      }
    }
    made.length = 0;
    if (values.length > COMBINE_FROM / 2) this.#handOn(key, values);
  }

  #handOn(key: string, values: string[]): void {
    for (const value of values) this.#out(key, value);
    values.length = 0;
  }
}

/** Whether no other text has the same UTF-8: lone surrogates all become U+FFFD. */
function oneEncoding(key: string): boolean {
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    if ((unit >= 0xd800 && unit <= 0xdfff) || unit === 0xfffd) return false;
  }
  return true;
}
