import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { sphereField } from '../../../fields/mesh/sphere-field.test.fixture.js';
import { temporaryDirectory } from '../../../testing/engine-fixture.js';
import { validateGlb } from '../../../testing/gltf-validator.js';

const program = fileURLToPath(new URL('../../main.js', import.meta.url));
const folder = temporaryDirectory(t);
const field = sphereField();
field.saveFile(join(folder, 'ball.safetensors'));
field.dispose();

interface Ran {
  readonly code: number | null;
  readonly json: { readonly [key: string]: unknown; readonly error?: { readonly code: string; readonly message: string } };
}

async function mesh(args: readonly string[], interruptAfterMs?: number): Promise<Ran> {
  const argv = [program, 'nerf', 'mesh', 'ball.safetensors', ...args, '--json'];
  const child = spawn(process.execPath, argv, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  if (interruptAfterMs !== undefined) setTimeout(() => child.kill('SIGINT'), interruptAfterMs);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, json: JSON.parse(stdout) };
}

t.test('a field becomes a mesh file of the kind that its name says', async (t) => {
  const glb = await mesh(['--resolution', '48', '--faces', '2000', '--texture', '256', '--out', 'out/ball.glb', '--up', 'z']);
  t.equal(glb.code, 0, JSON.stringify(glb.json));
  t.match(glb.json, { triangles: 2000, resolution: 48, denseQueries: 49 ** 3, components: Number, files: { length: 1 } });
  t.same(await validateGlb(readFileSync(join(folder, 'out', 'ball.glb'))), { errors: 0, warnings: 0, messages: [] });
  const obj = await mesh(['--resolution', '24', '--texture', '128', '--out', 'obj/ball.obj', '--level', '1', '--smooth', '2']);
  t.equal(obj.code, 0, JSON.stringify(obj.json));
  t.equal(obj.json['level'], 1);
  t.same(readdirSync(join(folder, 'obj')).sort(), ['ball.mtl', 'ball.obj', 'ball.png']);
  const half = await mesh(['--resolution', '24', '--texture', '128', '--out', 'half.ply', '--box=-8,-8,-8,0,8,8']);
  t.equal(half.code, 0, JSON.stringify(half.json));
  t.ok(existsSync(join(folder, 'half.ply')));
});

t.test('wrong options, too little memory and Ctrl-C end with a code', async (t) => {
  const refusals: readonly (readonly [string, readonly string[]])[] = [
    ['ERR_DAF_BAD_OPTION', ['--out', 'ball.stl']],
    ['ERR_DAF_BAD_OPTION', ['--out', 'ball.glb', '--box', '1,2,3']],
    ['ERR_DAF_BAD_OPTION', ['--out', 'ball.glb', '--box=0,0,0,-1,1,1']],
    ['ERR_DAF_BAD_OPTION', ['--out', 'ball.glb', '--up', 'x']],
    ['ERR_DAF_BAD_OPTION', ['--out', 'ball.glb', '--memory', '1MB']],
    ['ERR_DAF_MEMORY_LIMIT', ['--out', 'ball.glb', '--memory', '200MB', '--resolution', '512']],
  ];
  for (const [code, args] of refusals) {
    const ran = await mesh(args);
    t.not(ran.code, 0);
    t.equal(ran.json.error?.code, code, `${args.join(' ')}: ${JSON.stringify(ran.json)}`);
  }
  const stopped = await mesh(['--resolution', '400', '--texture', '4096', '--memory', '2GB', '--out', 'never.glb'], 2000);
  t.equal(stopped.code, 130);
  t.equal(stopped.json.error?.code, 'ERR_DAF_CANCELLED');
  t.notOk(existsSync(join(folder, 'never.glb')));
});
