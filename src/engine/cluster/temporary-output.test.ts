import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryDirectory } from '../../testing/engine-fixture.js';

const CLUSTER = JSON.stringify(new URL('./cluster.js', import.meta.url).href);
const DEFINE = JSON.stringify(new URL('../jobs/define.js', import.meta.url).href);

t.test('a temporary output of a killed process goes with the next', async (t) => {
  const base = temporaryDirectory(t);
  const run = (end: string): string => {
    const code = `const { Cluster } = await import(${CLUSTER});
      const { defineJob } = await import(${DEFINE});
      const cluster = await Cluster.local({ workers: 1 });
      const job = defineJob({ name: 'echo', map: ({ value }, emit) => emit(value, '') });
      const result = await (await cluster.submit(job, { input: { items: ['a'] } })).result();
      (await import('node:fs')).writeSync(1, (await import('node:url')).fileURLToPath(result.output));
      ${end}`;
    const args = ['--input-type=module', '-e', code];
    return spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, TMPDIR: base } }).stdout;
  };
  const killed = run(`process.kill(process.pid, 'SIGKILL');`);
  t.ok(existsSync(join(killed, 'manifest.json')));
  const closed = run('await cluster.close();');
  t.not(closed, killed);
  t.same(
    readdirSync(base).filter((name) => name.startsWith('daf-output-')),
    [],
  );
});
