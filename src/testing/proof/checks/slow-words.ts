import { setTimeout as sleep } from 'node:timers/promises';
import { defineJob } from '../../../engine/jobs/define.js';

/** Word count that takes its time: so many ms for every tenth line, and for every hundredth word that is reduced. */
export default defineJob({
  name: 'slow-words',
  module: import.meta.url,
  async map({ value, offset }, emit, { params }) {
    if (offset % 10 === 0) await sleep(Number(params['pause']));
    for (const word of value.match(/[A-Za-z]+/g) ?? []) emit(word, '1');
  },
  combine: (word, counts, emit) => emit(word, sum(counts)),
  async reduce(word, counts, emit, { params }) {
    if (word.length === 2) await sleep(Number(params['pause']));
    emit(word, sum(counts));
  },
});

function sum(counts: Iterable<string>): string {
  let total = 0;
  for (const count of counts) total += Number(count);
  return String(total);
}
