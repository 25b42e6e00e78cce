import { DafError } from '../contracts/errors.js';
import { FIRST, KEY_MASK, LAST, MAX_KEY_BYTES, MORE, PACKED_HEADER, PIECE, VALUE_MASK } from '../contracts/record.js';
import type { GroupInput } from '../contracts/stage.js';
import { FirstFailure } from '../first-failure.js';
import { decode } from '../text.js';

export { GROUP_BUFFER_BYTES } from '../memory-plan.js';

const encoder = new TextEncoder();
/** UTF-16 units of a field up to which a loop beats the call into the encoder, where it is ASCII. */
const SHORT = 24;
const LAST_ASCII = 0x7f;
const NO_ROOM = new Uint8Array(0);
const NO_VIEW = new DataView(NO_ROOM.buffer);

/**
 * Packs records into one reused buffer and hands it on when it is full. The view given to `flush` is borrowed: it must be used up before
 * flush returns.
 */
export class RecordBatch {
  readonly #flush: (batch: Uint8Array, records: number) => void;
  readonly #capacity: number;
  /** Made for the first record: many short tasks emit none. */
  #bytes = NO_ROOM;
  #view = NO_VIEW;
  #used = 0;
  #records = 0;
  readonly #failure = new FirstFailure();
  /** Null until {@link end}. */
  #late: (() => DafError) | null = null;

  /** @param capacity bytes, at least 1 KB. Longer records are handed on in pieces. */
  constructor(capacity: number, flush: (batch: Uint8Array, records: number) => void) {
    this.#flush = flush;
    this.#capacity = Math.max(capacity, 1 << 10);
  }

  /** @throws DafError ERR_DAF_BAD_ARGUMENT for a key above 1 MB, ERR_DAF_USER_CODE for what is neither text nor bytes */
  add(key: string | Uint8Array, value: string | Uint8Array): void {
    // Words and counts: most of what is emitted, and of what an emit costs.
    if (typeof key === 'string' && typeof value === 'string' && key.length <= SHORT && value.length <= SHORT) {
      const from = this.#used;
      const end = from + PACKED_HEADER + key.length + value.length;
      const bytes = this.#bytes;
      if (end <= bytes.length) {
        let at = from + PACKED_HEADER;
        let all = 0;
        for (let i = 0; i < key.length; i++) all |= bytes[at++] = key.charCodeAt(i);
        for (let i = 0; i < value.length; i++) all |= bytes[at++] = value.charCodeAt(i);
        if (all <= LAST_ASCII) {
          this.#view.setUint32(from, key.length, true);
          this.#view.setUint32(from + 4, value.length, true);
          this.#used = end;
          this.#records++;
          return;
        }
      }
    }
    this.#addAny(key, value);
  }

  #addAny(key: string | Uint8Array, value: string | Uint8Array): void {
    const most = PACKED_HEADER + mostBytes('key', key) + mostBytes('value', value);
    if (most > this.#bytes.length - this.#used) {
      if (this.#late !== null) throw this.#late();
      if (this.#bytes === NO_ROOM) this.#makeRoom();
      else this.flush();
      if (most > this.#bytes.length) {
        const [keyBytes, valueBytes] = [asBytes(key), asBytes(value)];
        if (keyBytes.length > MAX_KEY_BYTES) throw keyTooLong(keyBytes.length);
        this.guard(() => this.#addLarge(keyBytes, valueBytes));
        return;
      }
    }
    const at = this.#used;
    const keySize = this.#put(key, at + PACKED_HEADER);
    if (keySize > MAX_KEY_BYTES) throw keyTooLong(keySize);
    const valueSize = this.#put(value, at + PACKED_HEADER + keySize);
    this.#view.setUint32(at, keySize, true);
    this.#view.setUint32(at + 4, valueSize, true);
    this.#used = at + PACKED_HEADER + keySize + valueSize;
    this.#records++;
  }

  /**
   * Hands on what is there. Call it once more at the end.
   * @throws what handing on throws, and from then on always: user code may catch it, but what was under way is lost
   */
  flush(): void {
    if (this.#used === 0 && !this.#failure.happened) return;
    this.guard(() => {
      const batch = this.#bytes.subarray(0, this.#used);
      const records = this.#records;
      this.#used = 0;
      this.#records = 0;
      this.#flush(batch, records);
    });
  }

  /** Does what hands on records past this batch: where it throws, it does so from then on, and so does flush. */
  guard(work: () => void): void {
    if (this.#late !== null) throw this.#late();
    this.#failure.guard(work);
  }

  /** Takes nothing more: add and guard throw from now on. What was not flushed is dropped. @param late gives what they throw */
  end(late: () => DafError): void {
    this.#late = late;
    this.#used = 0;
    this.#records = 0;
    this.#bytes = NO_ROOM; // so that add finds out where it has to look anyway
  }

  #makeRoom(): void {
    this.#bytes = new Uint8Array(this.#capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  #put(field: string | Uint8Array, at: number): number {
    if (typeof field !== 'string') {
      this.#bytes.set(field, at);
      return field.length;
    }
    if (field.length <= SHORT) {
      let i = 0;
      for (; i < field.length; i++) {
        const unit = field.charCodeAt(i);
        if (unit > LAST_ASCII) break;
        this.#bytes[at + i] = unit;
      }
      if (i === field.length) return i;
    }
    return encoder.encodeInto(field, this.#bytes.subarray(at)).written;
  }

  #addLarge(key: Uint8Array, value: Uint8Array): void {
    const step = 1 << 20;
    const head = new Uint8Array(PACKED_HEADER + key.length);
    const view = new DataView(head.buffer);
    view.setUint32(0, key.length, true);
    view.setUint32(4, value.length === 0 ? 0 : MORE, true);
    head.set(key, PACKED_HEADER);
    this.#flush(head, 1);
    for (let from = 0; from < value.length; from += step) {
      const part = value.subarray(from, from + step);
      const piece = new Uint8Array(PACKED_HEADER + part.length);
      const pieceView = new DataView(piece.buffer);
      pieceView.setUint32(0, PIECE, true);
      pieceView.setUint32(4, (part.length | (from + step < value.length ? MORE : 0)) >>> 0, true);
      piece.set(part, PACKED_HEADER);
      this.#flush(piece, 0);
    }
  }
}

/** Bytes that a field takes at most: a UTF-16 unit becomes up to three. */
function mostBytes(name: string, field: string | Uint8Array): number {
  if (typeof field === 'string') return field.length * 3;
  if (field instanceof Uint8Array) return field.length;
  // Code that is not type-checked gets here, with a count more often than not.
  const kind = field === null ? 'null' : typeof field === 'object' ? 'an object' : `a value of type ${typeof field}`;
  throw new DafError('ERR_DAF_USER_CODE', `emit was given ${kind} as the ${name}; expected a string or a Uint8Array`, {
    hint: `emit String(${name}), or JSON.stringify(${name})`,
  });
}

function asBytes(field: string | Uint8Array): Uint8Array {
  return typeof field === 'string' ? encoder.encode(field) : field;
}

function keyTooLong(bytes: number): DafError {
  return new DafError('ERR_DAF_BAD_ARGUMENT', `a key has ${bytes} bytes; the limit is ${MAX_KEY_BYTES}`, {
    hint: 'emit a hash or a prefix as the key and the rest in the value',
  });
}

/**
 * Groups of a stream of flagged batches, as MergeReader.next and MapWriter.nextGroups fill them.
 * @param fill writes the next batch into the buffer and returns its bytes; 0 ends the stream.
 * @param buffer reused from batch to batch; GROUP_BUFFER_BYTES is a good size.
 */
export function readGroups(fill: (buffer: Uint8Array) => number, buffer: Uint8Array): GroupInput {
  // One of each: who stops in the middle and asks again goes on there.
  let groups: GroupReader<Uint8Array> | undefined;
  let texts: GroupReader<string> | undefined;
  return {
    groups: () => (groups ??= new GroupReader(fill, buffer, BYTES)),
    texts: () => (texts ??= new GroupReader(fill, buffer, TEXT)),
  };
}

/** How fields leave the buffer: what is kept over the next fill, and what is borrowed until then. */
interface Fields<T> {
  keep(bytes: Uint8Array, from: number, to: number): T;
  borrow(bytes: Uint8Array, from: number, to: number): T;
}
const BYTES: Fields<Uint8Array> = {
  keep: (bytes, from, to) => bytes.slice(from, to),
  borrow: (bytes, from, to) => bytes.subarray(from, to),
};
const TEXT: Fields<string> = { keep: decode, borrow: decode };

class GroupReader<T> implements IterableIterator<{ readonly key: T; readonly values: Iterable<T> }> {
  readonly #values: IterableIterator<T>;
  readonly #fill: (buffer: Uint8Array) => number;
  readonly #buffer: Uint8Array;
  readonly #view: DataView;
  readonly #fields: Fields<T>;
  #at = 0;
  #end = 0;
  /** Inside a group whose LAST record has not been read. */
  #open = false;
  /** Where the value of the piece read last lies, and whether it goes on. */
  #from = 0;
  #to = 0;
  #goesOn = false;

  constructor(fill: (buffer: Uint8Array) => number, buffer: Uint8Array, fields: Fields<T>) {
    this.#fill = fill;
    this.#buffer = buffer;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    this.#fields = fields;
    this.#values = {
      next: () => this.#nextValue(),
      [Symbol.iterator]() {
        return this;
      },
    };
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<{ readonly key: T; readonly values: Iterable<T> }> {
    while (this.#open) this.#step();
    if (!this.#more()) return { done: true, value: undefined };
    const keySize = this.#view.getUint32(this.#at, true) & KEY_MASK;
    const from = this.#at + PACKED_HEADER;
    const key = this.#fields.keep(this.#buffer, from, from + keySize);
    this.#open = true;
    return { done: false, value: { key, values: this.#values } };
  }

  #more(): boolean {
    if (this.#at < this.#end) return true;
    this.#at = 0;
    this.#end = this.#fill(this.#buffer);
    return this.#end > 0;
  }

  /** Steps over the piece at the cursor. */
  #step(): void {
    if (!this.#more()) throw new DafError('ERR_DAF_INTERNAL', 'a group has no end');
    const keyWord = this.#view.getUint32(this.#at, true);
    const valueWord = this.#view.getUint32(this.#at + 4, true);
    this.#from = this.#at + PACKED_HEADER + (keyWord & KEY_MASK);
    this.#to = this.#from + (valueWord & VALUE_MASK);
    this.#at = this.#to;
    this.#goesOn = (valueWord & MORE) !== 0;
    if ((keyWord & LAST) !== 0) this.#open = false;
  }

  #nextValue(): IteratorResult<T> {
    if (!this.#open) return { done: true, value: undefined };
    const at = this.#at;
    if (at < this.#end) {
      const keyWord = this.#view.getInt32(at, true);
      const valueWord = this.#view.getInt32(at + 4, true);
      if ((valueWord & MORE) === 0) {
        const from = at + PACKED_HEADER + (keyWord & KEY_MASK);
        const to = from + (valueWord & VALUE_MASK);
        this.#at = to;
        if ((keyWord & LAST) !== 0) this.#open = false;
        return { done: false, value: this.#fields.borrow(this.#buffer, from, to) };
      }
    }
    return this.#nextLong();
  }

  /** A value of which the next piece lies beyond this fill, or that comes in several. */
  #nextLong(): IteratorResult<T> {
    this.#step();
    if (!this.#goesOn) return { done: false, value: this.#fields.borrow(this.#buffer, this.#from, this.#to) };
    const parts = [this.#buffer.slice(this.#from, this.#to)];
    while (this.#goesOn) {
      this.#step();
      parts.push(this.#buffer.slice(this.#from, this.#to));
    }
    const value = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      value.set(part, at);
      at += part.length;
    }
    return { done: false, value: this.#fields.borrow(value, 0, value.length) };
  }
}

/** Clears the group flags of a batch in place: what a file of packed records holds. Pieces keep theirs. */
export function clearGroupFlags(batch: Uint8Array): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  for (let at = 0; at < batch.length; ) {
    const keyWord = view.getUint32(at, true);
    if ((keyWord & (FIRST | LAST)) !== 0) view.setUint32(at, keyWord & (PIECE | KEY_MASK), true);
    at += PACKED_HEADER + (keyWord & KEY_MASK) + (view.getUint32(at + 4, true) & VALUE_MASK);
  }
}
