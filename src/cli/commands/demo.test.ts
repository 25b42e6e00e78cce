import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { temporaryDirectory } from '../../testing/engine-fixture.js';

const program = fileURLToPath(new URL('../main.js', import.meta.url));

t.test('Ctrl-C while daf demo makes its photos ends it before a cluster starts', async (t) => {
  const out = join(temporaryDirectory(t), 'demo');
  const child = spawn(process.execPath, [program, 'demo', '--out', out, '--people', '1000', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  await once(child.stderr, 'data'); // "making photos in …"
  child.kill('SIGINT');
  const [code] = (await once(child, 'close')) as [number | null];
  t.equal(code, 130);
  t.match(JSON.parse(stdout), { error: { code: 'ERR_DAF_CANCELLED' } });
  t.notOk(existsSync(join(out, '_daf')));
});
