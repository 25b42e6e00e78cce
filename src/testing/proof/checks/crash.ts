import { setTimeout as sleep } from 'node:timers/promises';
import { defineJob } from '../../../engine/jobs/define.js';

/** Of all calls a third ends what it runs in, half of those the whole process, and a third sleeps for up to ten pauses. */
export default defineJob({
  name: 'crash',
  module: import.meta.url,
  input: { kind: 'files' },
  text: false,
  async map({ value, source }, emit, { params }) {
    await mayCrash(Number(params['pause']));
    emit('a', source);
    emit('b', String(source.length));
    emit('c', String(value.length));
    emit('d', 'xyzzy');
  },
  async reduce(key, values, emit, { params }) {
    await mayCrash(Number(params['pause']));
    const sorted: string[] = [];
    for (const value of values) sorted.push(Buffer.from(value).toString('latin1'));
    emit(key, sorted.sort().join(' '));
  },
});

async function mayCrash(pauseMs: number): Promise<void> {
  const drawn = Math.random();
  if (drawn < 1 / 6) process.kill(process.pid, 'SIGKILL');
  else if (drawn < 1 / 3) process.exit(1);
  else if (drawn < 2 / 3) await sleep(10 * pauseMs * Math.random());
}
