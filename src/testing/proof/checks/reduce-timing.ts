import { join } from 'node:path';
import { defineJob } from '../../../engine/jobs/define.js';
import { standTogether } from './together.js';

/** Every key is reduced for a while, and tells how many processes reduced at that time. */
export default defineJob({
  name: 'reduce-timing',
  module: import.meta.url,
  input: { kind: 'files' },
  map(_, emit) {
    for (const key of 'abcdefghij') emit(key, '');
  },
  async reduce(key, _, emit, { params }) {
    emit(key, String(await standTogether(join(String(params['folder']), 'reduces'), Number(params['pause']))));
  },
});
