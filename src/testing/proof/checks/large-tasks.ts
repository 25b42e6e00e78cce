import { defineJob } from '../../../engine/jobs/define.js';

/** Numbers words by their length; its tasks want more memory than a small worker has. */
export default defineJob({
  name: 'large-tasks',
  module: import.meta.url,
  memory: { task: 216 * 2 ** 20, sortBuffer: 8 * 2 ** 20 },
  map({ value }, emit) {
    for (const word of value.match(/[A-Za-z]+/g) ?? []) emit(String(word.length), word);
  },
  reduce(length, words, emit) {
    emit(length, String([...words].length));
  },
});
