import { defineJob } from '../../../engine/jobs/define.js';

/** Word count whose maps leave much for the reduces: each word carries so many bytes that no compressor shrinks. */
export default defineJob({
  name: 'bulky-words',
  module: import.meta.url,
  map({ value, offset }, emit, { params }) {
    for (const word of value.match(/[A-Za-z]+/g) ?? []) emit(word, noise(offset, Number(params['bulk'])));
  },
  reduce(word, values, emit) {
    let count = 0;
    for (const _ of values) count += 1;
    emit(word, String(count));
  },
});

/** The same for the same seed. */
function noise(seed: number, length: number): string {
  let state = seed >>> 0;
  let text = '';
  while (text.length < length) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    text += (state >>> 4).toString(36);
  }
  return text;
}
