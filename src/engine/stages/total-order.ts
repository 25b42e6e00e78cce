import { KEY_MASK, PACKED_HEADER, PIECE, VALUE_MASK } from '../../core/contracts/record.js';
import type { Emit, GroupInput, Place, RecordSink } from '../../core/contracts/stage.js';

// The step before a totally ordered one: its map tasks sample keys with their places, its one reduce chooses cut points from them.

/** Samples that a map task passes on at most; with more, every second one goes and the others count double. */
const MAX_SAMPLES = 8192;
/** Samples and bytes of keys that choosing holds at most. */
const MAX_HELD = 1 << 17;
const MAX_HELD_BYTES = 32 << 20;
/** uint32 split, uint64 position (the place, as native/shuffle/cut_points.h reads it), uint32 weight. Little endian. */
const VALUE_BYTES = 16;

interface Sample {
  readonly key: Uint8Array;
  readonly split: number;
  readonly at: number;
  /** Records it stands for: those since the sample before. */
  weight: number;
}

/** Takes what a map emits and keeps an even sample of the keys. */
export class SampleSink implements RecordSink {
  readonly emit: Emit;
  readonly place: Place = { split: 0, at: 0 };
  #samples: Sample[] = [];
  #every = 1;
  #since = 0;

  constructor() {
    this.emit = (key) => this.#add(key, this.place.at);
  }

  batch(packed: Uint8Array, _partitions: Uint32Array | null = null, positions?: Float64Array): void {
    const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
    let record = 0;
    for (let at = 0; at < packed.length; ) {
      const keyWord = view.getUint32(at, true);
      const keyEnd = at + PACKED_HEADER + (keyWord & KEY_MASK);
      if ((keyWord & PIECE) === 0) {
        this.#add(packed.subarray(at + PACKED_HEADER, keyEnd), positions?.[record] ?? this.place.at);
        record += 1;
      }
      at = keyEnd + (view.getUint32(at + 4, true) & VALUE_MASK);
    }
  }

  /** Emits the sample in the order in which it was taken. */
  finish(emit: Emit): void {
    for (const { key, split, at, weight } of this.#samples) emit(key, encode(split, at, weight));
  }

  #add(key: string | Uint8Array, at: number): void {
    this.#since += 1;
    if (this.#since < this.#every) return;
    this.#samples.push({
      key: typeof key === 'string' ? Buffer.from(key) : key.slice(),
      split: this.place.split,
      at,
      weight: this.#every,
    });
    this.#since = 0;
    if (this.#samples.length < MAX_SAMPLES) return;
    this.#samples = halve(this.#samples);
    this.#every *= 2;
  }
}

/**
 * Chooses cut points between `parts` ranges of about equal weight, at most one less than there are parts. A cut point is the first
 * record of its range.
 * @param samples sorted by key, those of a key by place
 */
export function chooseCuts(samples: Pick<GroupInput, 'groups'>, parts: number, emit: Emit): void {
  const held = hold(samples);
  const total = held.reduce((sum, { weight }) => sum + weight, 0);
  let before = 0;
  let next = 1;
  for (const { key, split, at, weight } of held) {
    // Where one sample spans several borders, the ranges between them stay empty.
    if (next < parts && before > 0 && before * parts >= next * total) {
      emit(key, encode(split, at, weight));
      while (next < parts && before * parts >= next * total) next += 1;
    }
    before += weight;
  }
}

function hold(samples: Pick<GroupInput, 'groups'>): Sample[] {
  let held: Sample[] = [];
  let bytes = 0;
  for (const { key, values } of samples.groups()) {
    for (const value of values) {
      held.push({ key, ...decode(value) });
      bytes += key.length;
      if (held.length < MAX_HELD && bytes < MAX_HELD_BYTES) continue;
      held = halve(held);
      bytes = held.reduce((sum, each) => sum + each.key.length, 0);
    }
  }
  return held;
}

/** Every second sample, each standing for the one before it too. */
function halve(samples: readonly Sample[]): Sample[] {
  const kept: Sample[] = [];
  for (let i = 1; i < samples.length; i += 2) kept.push({ ...samples[i]!, weight: samples[i - 1]!.weight + samples[i]!.weight });
  if (samples.length % 2 === 1) kept.push(samples[samples.length - 1]!);
  return kept;
}

function encode(split: number, at: number, weight: number): Uint8Array {
  const bytes = new Uint8Array(VALUE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, split, true);
  view.setBigUint64(4, BigInt(at), true);
  view.setUint32(12, Math.min(weight, 0xffff_ffff), true);
  return bytes;
}

function decode(value: Uint8Array): Omit<Sample, 'key'> {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return { split: view.getUint32(0, true), at: Number(view.getBigUint64(4, true)), weight: view.getUint32(12, true) };
}
