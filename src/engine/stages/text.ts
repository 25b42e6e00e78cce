/** Node's own slicer: works on any Uint8Array and spares a Buffer per string. */
const slicer = Buffer.prototype as unknown as { utf8Slice(this: Uint8Array, from: number, to: number): string };
const SINGLE = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

/** UTF-8 to string; invalid bytes become U+FFFD. */
export function decode(bytes: Uint8Array, from: number, to: number): string {
  if (to - from <= 1) {
    if (to === from) return '';
    const single = SINGLE[bytes[from]!];
    if (single !== undefined) return single;
  }
  return slicer.utf8Slice.call(bytes, from, to);
}

export function sameKey(a: string | Uint8Array, b: string | Uint8Array): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a === b;
  return Buffer.compare(asBytes(a), asBytes(b)) === 0;
}

function asBytes(field: string | Uint8Array): Uint8Array {
  return typeof field === 'string' ? Buffer.from(field) : field;
}

/** The values of one group after another as user code wants them; one reader serves all groups, nothing is held. */
export class ValueReader implements IterableIterator<string | Uint8Array> {
  readonly #text: boolean;
  #source: Iterator<Uint8Array> = [][Symbol.iterator]();

  constructor(text: boolean) {
    this.#text = text;
  }

  of(values: Iterable<Uint8Array>): this {
    this.#source = values[Symbol.iterator]();
    return this;
  }

  next(): IteratorResult<string | Uint8Array> {
    const step = this.#source.next();
    if (step.done === true) return { done: true, value: undefined };
    return { done: false, value: this.#text ? decode(step.value, 0, step.value.length) : step.value };
  }

  [Symbol.iterator](): this {
    return this;
  }
}
