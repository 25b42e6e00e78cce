import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineJob } from '../../../engine/jobs/define.js';

/** Leaves a file for every time a map is called, which is why it may not be called twice without need. */
export default defineJob({
  name: 'job-count',
  module: import.meta.url,
  idempotent: false,
  input: { kind: 'files' },
  async map({ source }, emit, { params, attempt }) {
    const folder = join(String(params['folder']), 'calls');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, attempt), source);
    await sleep(Number(params['pause']) * (2 + 3 * Math.random()));
    emit('a', 'x');
  },
  reduce: (key, calls, emit) => emit(key, String([...calls].length)),
});
