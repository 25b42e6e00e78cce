import { setTimeout as sleep } from 'node:timers/promises';
import { defineJob } from '../../../engine/jobs/define.js';

/** Word count in which some words take long. */
export default defineJob({
  name: 'early-exit',
  module: import.meta.url,
  map({ value }, emit) {
    for (const word of value.match(/[A-Za-z]+/g) ?? []) emit(word, '1');
  },
  async reduce(word, counts, emit, { params }) {
    let count = 0;
    for (const _ of counts) count += 1;
    if (word === 'the' || word === 'and') await sleep(3 * Number(params['pause']));
    emit(word, String(count));
  },
});
