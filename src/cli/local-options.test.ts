import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { temporaryDirectory } from '../testing/engine-fixture.js';
import { jobEnvironment } from './local-options.js';

const folder = temporaryDirectory(t);
const NONE = { NODE_EXTRA_CA_CERTS: '' };

t.test('only processes that may open a connection read more certificates', (t) => {
  const local = { input: ['text'], output: 'out' };
  t.same(jobEnvironment('plugins/count.so', local), NONE);
  t.same(jobEnvironment('file:///daf/jobs/wordcount.js', local), NONE);
  t.same(jobEnvironment('./job.ts', local), {}, 'a module may do as it likes');
  t.same(jobEnvironment('plugins/count.so', { ...local, output: 's3://bucket/out' }), {});
  t.same(jobEnvironment('plugins/count.so', { ...local, input: ['text', 's3://bucket/in'] }), {});
  t.same(jobEnvironment('file:///daf/jobs/wordcount.js', { ...local, params: { from: 'https://host' } }), {});
  t.end();
});

t.test('daf run starts its processes without them', { skip: process.platform !== 'linux' }, async (t) => {
  const input = join(folder, 'input');
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  writeFileSync(input, 'a b a');
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'missing'), DAF_TEST_MARK: folder };
  const args = [main, 'run', 'wordcount', '--input', input, '--output', join(folder, 'out'), '--workers', '1'];
  const run = spawn(process.execPath, args, { env, stdio: 'ignore' });
  const ended = once(run, 'exit');
  const seen = new Map<string, string>();
  while (run.exitCode === null) {
    for (const [program, certificates] of marked(folder)) seen.set(program, certificates);
    await setTimeout(10);
  }
  t.same(await ended, [0, null]);
  t.equal(seen.get('cli'), join(folder, 'missing'));
  t.same([seen.get('coordinator'), seen.get('worker')], ['', '']);
});

/** What the processes that were started with our mark have for certificates, by which program they are. */
function* marked(mark: string): Generator<[string, string]> {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      const program = /dist\/(?:engine\/)?(\w+)\/main\.js/.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.[1];
      if (program === undefined || !environment.includes(`DAF_TEST_MARK=${mark}`)) continue;
      const name = 'NODE_EXTRA_CA_CERTS=';
      yield [program, environment.find((each) => each.startsWith(name))?.slice(name.length) ?? ''];
    } catch {} // it has ended, or is another user's
  }
}
