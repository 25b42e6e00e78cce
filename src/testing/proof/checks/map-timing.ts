import { join } from 'node:path';
import { defineJob } from '../../../engine/jobs/define.js';
import { standTogether } from './together.js';

/** Every map tells which process it ran in, and how many mapped at that time. */
export default defineJob({
  name: 'map-timing',
  module: import.meta.url,
  input: { kind: 'files' },
  async map(_, emit, { params }) {
    const together = await standTogether(join(String(params['folder']), 'maps'), Number(params['pause']));
    emit(`process-${process.pid}`, '');
    emit(`parallel-${together}`, '');
  },
  reduce: (key, _, emit) => emit(key, ''),
});
