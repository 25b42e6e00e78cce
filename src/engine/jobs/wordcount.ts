import { defineJob } from './define.js';

/** Counts words; a word is a maximal run of ASCII letters, every other character ends one. */
export default defineJob({
  name: 'wordcount',
  module: import.meta.url,
  text: true,
  map({ value }, emit) {
    const words = value.match(/[A-Za-z]+/g);
    if (words === null) return;
    for (const word of words) emit(word, '1');
  },
  combine(word, counts, emit) {
    emit(word, String(sum(counts)));
  },
  reduce(word, counts, emit) {
    emit(word, String(sum(counts)));
  },
});

function sum(counts: Iterable<string>): number {
  let total = 0;
  for (const count of counts) total += Number(count);
  return total;
}
