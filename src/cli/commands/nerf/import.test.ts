import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Field } from '../../../fields/field.js';
import { randomWeights, toNpz } from '../../../fields/import/torch-network.test.fixture.js';
import { temporaryDirectory } from '../../../testing/engine-fixture.js';

const program = fileURLToPath(new URL('../../main.js', import.meta.url));

async function json(cwd: string, ...args: string[]): Promise<Record<string, unknown>> {
  const child = spawn(process.execPath, [program, 'nerf', 'import', ...args, '--json'], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  await once(child, 'close');
  return JSON.parse(stdout) as Record<string, unknown>;
}

t.test('weights become a field file, known names and others', async (t) => {
  const folder = temporaryDirectory(t);
  const keys = { hidden: ['h'], feature: 'f', density: 'd', view: 'v', color: 'c' };
  writeFileSync(join(folder, 'keys.json'), JSON.stringify(keys));
  const network = randomWeights({ h: [8, 9], f: [8, 8], d: [1, 8], v: [8, 11], c: [3, 8] });
  writeFileSync(join(folder, 'w.npz'), toNpz(network));
  const box = ['--box=-1,-2,-3,1,2,3', '--occupancy', '8'];
  const made = await json(folder, 'w.npz', '--keys', 'keys.json', '--out', 'f.safetensors', ...box);
  t.match(made, {
    layout: null,
    prefix: '',
    box: { min: [-1, -2, -3], max: [1, 2, 3] },
    options: { width: 8, depth: 1, skips: [] },
  });
  using field = Field.load(join(folder, 'f.safetensors'));
  t.equal(field.parameterCount, made['parameters']);

  const code = async (...args: string[]): Promise<unknown> =>
    ((await json(folder, ...args)) as { error: { code: string } }).error.code;
  t.equal(await code('w.npz', '--out', 'g.safetensors'), 'ERR_DAF_BAD_DATA', 'unknown names');
  t.equal(await code('none.npz', '--out', 'g.safetensors'), 'ERR_DAF_NOT_FOUND');
  t.equal(await code('w.npz', '--keys', 'w.npz', '--out', 'g.safetensors'), 'ERR_DAF_BAD_OPTION');
  t.equal(await code('w.npz', '--keys', 'none.json', '--out', 'g.safetensors'), 'ERR_DAF_NOT_FOUND');
  t.equal(await code('w.npz', '--keys', 'keys.json', '--box=1,2,3', '--out', 'g.safetensors'), 'ERR_DAF_BAD_OPTION');
  t.equal(await code('w.npz', '--keys', 'keys.json', '--box=1,1,1,0,0,0', '--out', 'g.safetensors'), 'ERR_DAF_BAD_OPTION');
  t.same(readdirSync(folder).sort(), ['f.safetensors', 'keys.json', 'w.npz'], 'nothing was written');
});
