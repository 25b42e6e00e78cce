import { closeSync, openSync, readSync, writeSync } from 'node:fs';

const CHUNK = 4 << 20;
export const RECORD_BYTES = 100;
export const KEY_BYTES = 10;

/** A linear congruential generator of 32 bits, so that everybody measures the same bytes. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
}

/**
 * Newline records of 100 bytes: ten random printable ASCII characters (no space, which `sort` would read as the end of a field), then the
 * record's number.
 * @returns bytes written
 */
export function writeRecords(path: string, bytes: number): number {
  const records = Math.floor(bytes / RECORD_BYTES);
  const file = openSync(path, 'w');
  const atOnce = Math.floor(CHUNK / RECORD_BYTES);
  const chunk = Buffer.alloc(atOnce * RECORD_BYTES, 'x');
  const next = random(12345);
  for (let done = 0; done < records; ) {
    const count = Math.min(atOnce, records - done);
    for (let i = 0; i < count; i++) {
      const at = i * RECORD_BYTES;
      for (let k = 0; k < KEY_BYTES; k++) chunk[at + k] = 33 + ((next() >>> 8) % 94);
      chunk.write(String(done + i).padStart(12, '0'), at + KEY_BYTES, 'latin1');
      chunk[at + RECORD_BYTES - 1] = 10;
    }
    writeSync(file, chunk, 0, count * RECORD_BYTES);
    done += count;
  }
  closeSync(file);
  return records * RECORD_BYTES;
}

/**
 * Lines of about 80 bytes: words of a vocabulary, the n-th most frequent one with probability 1/n (Zipf's law), lower-case letters only and
 * one blank between words, so that every tool agrees on what a word is without effort.
 */
export function writeText(path: string, bytes: number, vocabulary: number): void {
  const words = Array.from({ length: vocabulary }, (_, rank) => Buffer.from(spell(rank), 'latin1'));
  const file = openSync(path, 'w');
  const chunk = Buffer.alloc(CHUNK + 256);
  const next = random(54321);
  const scale = Math.log(vocabulary);
  let used = 0;
  let line = 0;
  for (let written = 0; written < bytes; ) {
    const word = words[Math.min(vocabulary - 1, Math.floor(Math.exp((next() / 2 ** 32) * scale)) - 1)]!;
    word.copy(chunk, used);
    used += word.length;
    line += word.length + 1;
    chunk[used++] = line < 80 ? 32 : 10;
    if (line >= 80) line = 0;
    if (used < CHUNK) continue;
    chunk[used - 1] = 10;
    line = 0;
    writeSync(file, chunk, 0, used);
    written += used;
    used = 0;
  }
  closeSync(file);
}

/** A word for every rank, short ones for frequent ranks, neighbours in rank far apart in the alphabet. */
function spell(rank: number): string {
  let word = '';
  for (let left = rank + 1; left > 0; left = Math.floor((left - 1) / 26)) word += 'etaoinshrdlucmfwypvbgkjqxz'[(left - 1) % 26];
  return rank < 26 ? word : `${word}${'aeiou'[rank % 5]}${rank < 5000 ? '' : 'nrst'[rank % 4]}`;
}

/** Reads a file once, so that whoever comes next finds it in the page cache. */
export function warm(path: string): void {
  const file = openSync(path, 'r');
  const chunk = Buffer.alloc(CHUNK);
  while (readSync(file, chunk) > 0) {
    // only the reading counts
  }
  closeSync(file);
}
