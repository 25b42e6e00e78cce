import { defineJob } from './define.js';

/** For every word the documents it occurs in: `N doc1,doc2,…`, documents sorted by their bytes. A word is a maximal run of ASCII letters. */
export default defineJob({
  name: 'inverted-index',
  module: import.meta.url,
  text: true,
  map({ value, source }, emit) {
    for (const word of new Set(value.match(/[A-Za-z]+/g))) emit(word, source);
  },
  combine(word, documents, emit) {
    for (const document of new Set(documents)) emit(word, document);
  },
  reduce(word, documents, emit) {
    const sorted = [...new Set(documents)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    emit(word, `${sorted.length} ${sorted.join(',')}`);
  },
});
