import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { loadSharp } from '../../../core/sharp.js';
import { selfPortrait, untrained } from '../../../fields/render/portrait.test.fixture.js';
import { temporaryDirectory } from '../../../testing/engine-fixture.js';

const program = fileURLToPath(new URL('../../main.js', import.meta.url));

async function daf(cwd: string, ...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [program, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

t.test('a field is measured and rendered from the command line', async (t) => {
  const folder = temporaryDirectory(t);
  using field = untrained();
  field.saveFile(join(folder, 'f.safetensors'));
  await selfPortrait(field, folder);

  const scored = await daf(folder, 'nerf', 'eval', 'f.safetensors', '.', '--limit', '2', '--out', 'seen', '--json');
  t.equal(scored.code, 0, scored.stderr);
  const result = JSON.parse(scored.stdout) as { psnr: number; ssim: number; secondsPerImage: number; images: { name: string }[] };
  t.ok(result.psnr > 50 && result.ssim > 0.995 && result.secondsPerImage > 0, scored.stdout);
  t.same(
    result.images.map(({ name }) => name),
    ['./test/r_0', './test/r_1'],
  );
  t.same(readdirSync(join(folder, 'seen', 'test')), ['r_0.png', 'r_1.png']);
  const all = await daf(folder, 'nerf', 'eval', 'f.safetensors', '.', '--split', 'train', '--background', 'random');
  t.match(all.stdout, /6 pictures: PSNR \d\d\.\d\d dB, SSIM \d\.\d{4}/);

  const bounds = ['--limit', '1', '--samples-per-ray', '64', '--near', '5', '--far', '6', '--json'];
  const beyond = await daf(folder, 'nerf', 'eval', 'f.safetensors', '.', ...bounds);
  t.ok((JSON.parse(beyond.stdout) as { psnr: number }).psnr < 40, 'nothing lies between those bounds');

  const strata = ['--samples-per-ray', '64', '--near', '1', '--far', '9', '--size', '8', '--frames', '1', '--out', 'strata'];
  t.equal((await daf(folder, 'nerf', 'render', 'f.safetensors', ...strata)).code, 0);

  const frames = await daf(
    folder,
    ...[
      'nerf',
      'render',
      'f.safetensors',
      '--path',
      'transforms_test.json',
      '--size',
      '48',
      '--out',
      'frames',
      '--depth',
      '--json',
    ],
  );
  t.equal(frames.code, 0, frames.stderr);
  t.match(JSON.parse(frames.stdout), { frames: 3, files: { length: 6 } });
  t.same(
    readFileSync(join(folder, 'frames', '00001.png')),
    readFileSync(join(folder, 'test', 'r_1.png')),
    'the poses of a scene give its pictures',
  );
  const turn = await daf(
    folder,
    ...['nerf', 'render', 'f.safetensors', '--frames', '4', '--size', '40x30', '--out', 'turn.webp'],
  );
  t.equal(turn.code, 0, turn.stderr);
  t.match(turn.stdout, /^4 frames in /);
  const sharp = await loadSharp();
  t.match(await sharp(join(folder, 'turn.webp'), { animated: true }).metadata(), { pages: 4, width: 40, pageHeight: 30 });
});

t.test('wrong command lines say what is wrong', async (t) => {
  const folder = temporaryDirectory(t);
  using field = untrained();
  field.saveFile(join(folder, 'f.safetensors'));
  const failure = async (...args: string[]): Promise<{ code: string; message: string; hint: string }> => {
    const { stdout, code } = await daf(folder, 'nerf', ...args, '--json');
    t.not(code, 0);
    return (JSON.parse(stdout) as { error: { code: string; message: string; hint: string } }).error;
  };
  const code = async (...args: string[]): Promise<string> => (await failure(...args)).code;
  t.equal(await code('eval', 'f.safetensors', 'nowhere'), 'ERR_DAF_NOT_FOUND');
  t.equal(await code('eval', 'none.safetensors', '.'), 'ERR_DAF_NOT_FOUND');
  t.equal(await code('render', 'f.safetensors', '--frames', '1', '--size', '8', '--out', 'f.safetensors'), 'ERR_DAF_IO');
  t.equal(await code('eval', 'f.safetensors', '.', '--background', 'none'), 'ERR_DAF_BAD_OPTION');
  t.equal(await code('eval', 'f.safetensors', '.', '--split', 'tset'), 'ERR_DAF_BAD_OPTION');
  t.equal(await code('eval', 'f.safetensors', '.', '--near', '-1'), 'ERR_DAF_BAD_OPTION');
  t.equal(await code('render', 'f.safetensors', '--out', 'o', '--precision', 'fp16'), 'ERR_DAF_BAD_OPTION');
  t.equal(await code('render', 'f.safetensors', '--out', 'o', '--size', '0'), 'ERR_DAF_BAD_OPTION');
  t.equal(await code('render', 'f.safetensors', '--out', 'o.webp', '--depth'), 'ERR_DAF_BAD_OPTION');
  t.equal(await code('rendr', 'f.safetensors'), 'ERR_DAF_BAD_OPTION');
  // Nothing was learnt behind this field: said before the scene, which is not there, is looked for.
  const learned = ['--background', 'learned'];
  const named = { code: 'ERR_DAF_BAD_OPTION', message: /^--background learned/, hint: /train/ };
  t.match(await failure('render', 'f.safetensors', '--out', 'o', '--around', 'nowhere', ...learned), named);
  t.match(await failure('eval', 'f.safetensors', 'nowhere', ...learned), named);
  // Flags under their own names, before the scene is looked for.
  const flagged = (flag: string) => ({ code: 'ERR_DAF_BAD_OPTION', message: new RegExp(`^${flag}`) });
  t.match(await failure('eval', 'f.safetensors', 'nowhere', '--samples-per-ray', '0'), flagged('--samples-per-ray'));
  t.match(await failure('render', 'f.safetensors', '--out', 'o', '--importance', '64'), flagged('--importance'));
  t.match(await failure('train', 'nowhere', '--out', 'o', '--appearance', '3'), flagged('--appearance'));
  const large = await failure('render', 'f.safetensors', '--size', '16384', '--out', 'o');
  t.match(large, { code: 'ERR_DAF_MEMORY_LIMIT', message: /16384x16384/, hint: /\d+x\d+ fits/ });
  t.same(readdirSync(folder), ['f.safetensors'], 'nothing was written');
  const help = await daf(folder, 'nerf');
  t.equal(help.code, 0);
  t.match(help.stdout, /eval.*render/s);
  for (const verb of ['eval', 'render'])
    t.match((await daf(folder, 'nerf', verb, '--help')).stdout, /Examples:\n {2}\$ daf nerf/);
});

t.test('a scene is trained from the command line', async (t) => {
  const folder = temporaryDirectory(t);
  using field = untrained();
  await selfPortrait(field, folder);
  const options = ['--steps', '3', '--threads', '2', '--samples-per-step', '512'];
  const trained = await daf(folder, 'nerf', 'train', '.', '--out', 'new/f.safetensors', ...options, '--json');
  t.equal(trained.code, 0, trained.stderr);
  t.match(JSON.parse(trained.stdout), { kind: 'hashgrid', threads: 2, step: 3, fraction: 1 });
  t.same(readdirSync(join(folder, 'new')).sort(), ['f.safetensors', 'f.training.safetensors']);
  const refined = await daf(
    folder,
    'nerf',
    'train',
    '.',
    '--out',
    'p.safetensors',
    '--refine-poses',
    ...options,
    '--steps',
    '24',
  );
  t.match(refined.stdout, /p\.poses\.json: poses moved by [\d.e-]+ units and [\d.]+° \(median\), at most [\d.e-]+ units and/);
  t.match(JSON.parse(readFileSync(join(folder, 'p.poses.json'), 'utf8')), { frames: { length: 6 } });
  const wrong = await daf(folder, 'nerf', 'train', '.', '--out', 'g.safetensors', '--field', 'voxels', '--json');
  t.equal(wrong.code, 1);
  t.match(JSON.parse(wrong.stdout), { error: { code: 'ERR_DAF_BAD_OPTION' } });
  const folderNamed = await daf(folder, 'nerf', 'train', '.', '--out', 'new', ...options, '--json');
  t.match(JSON.parse(folderNamed.stdout), { error: { code: 'ERR_DAF_BAD_OPTION', message: /--out new: is a folder/ } });
  const noColour = await daf(folder, 'nerf', 'train', '.', '--out', 'g.safetensors', '--background', 'none', '--json');
  t.match(JSON.parse(noColour.stdout), { error: { code: 'ERR_DAF_BAD_OPTION', message: /--background none/ } });
});
