import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DafError } from '../../../core/contracts/errors.js';
import type { Evaluation } from '../../../fields/render/evaluate.js';
import type { Scene } from '../../../fields/scenes/types.js';
import { type CommandSpec, wholeNumber } from '../../command.js';
import { addLookOptions, flagOf, lookTexts } from './options.js';

export const evaluateField: CommandSpec = {
  usage: 'eval <field> <scene>',
  summary: 'Compare a field with the held-out pictures of its scene: PSNR and SSIM',
  examples: [
    'daf nerf eval lego.safetensors nerf_synthetic/lego --split test --json',
    'daf nerf eval imported.safetensors tiny-lego --samples-per-ray 192 --near 2 --far 6',
    'daf nerf eval imported.safetensors tiny-lego --importance 64,128 --near 2 --far 6',
    'daf nerf eval fox.safetensors fox --limit 3 --out compare    # and write the rendered pictures',
  ],
  options(command) {
    command
      .option('--split <name>', 'train, val, test or all', 'test')
      .option(
        '--background <colour>',
        'behind transparent pixels: white, black, r,g,b or random; learned: what was learnt with the field (default: that, or what the scene says)',
      )
      .option('--limit <n>', 'only the first n pictures of the split', wholeNumber('--limit', 1, 100_000))
      .option('--threads <n>', 'threads that render (default: one for each core)', wholeNumber('--threads', 1, 256))
      .option('--out <dir>', 'also write every rendered picture there, as PNG');
    addLookOptions(command);
  },
  async run([file, path], options, io) {
    const [{ Field }, { RenderPool }, { evaluate }, { checkLearned, parseLook }, { openScene }] = await Promise.all([
      import('../../../fields/field.js'),
      import('../../../fields/render/pool.js'),
      import('../../../fields/render/evaluate.js'),
      import('../../../fields/render/look-text.js'),
      import('../../../fields/scenes/open.js'),
    ]);
    const background = await backgroundOption(options['background'] as string | undefined);
    const look = parseLook(lookTexts(options), flagOf);
    const split = splitOption(options['split']);
    using field = Field.load(file as string);
    checkLearned(background, field, '--background');
    const scene = await openScene(path as string, { split, signal: io.signal });
    const frames = scene.frames.slice(0, options['limit'] as number | undefined);
    if (frames.length === 0) {
      throw new DafError('ERR_DAF_BAD_DATA', `${scene.path} has no picture of the split "${options['split']}"`);
    }
    await using pool = new RenderPool(field, options['threads'] as number | undefined);
    const out = options['out'] as string | undefined;
    const result = await evaluate(pool, frames, {
      background: background ?? (field.learnedBackground ? 'learned' : (scene.background ?? [0, 0, 0])),
      look,
      signal: io.signal,
      onProgress: (fraction, name) => io.progress.update(fraction, name),
      ...(out === undefined ? {} : { onPicture: (frame, picture) => writePicture(out, frame.name, picture) }),
    });
    return { json: result, text: summary(result) };
  },
};

function splitOption(value: unknown): Scene['frames'][number]['split'] | 'all' {
  const known = ['train', 'val', 'test', 'all'] as const;
  const found = known.find((split) => split === value);
  if (found === undefined) throw new DafError('ERR_DAF_BAD_OPTION', `--split ${value}: expected ${known.join(', ')}`);
  return found;
}

async function backgroundOption(text: string | undefined) {
  if (text === undefined || text === 'random') return text;
  const { parseBackground } = await import('../../../fields/render/look-text.js');
  const color = parseBackground(text, '--background');
  if (color === null) throw new DafError('ERR_DAF_BAD_OPTION', '--background none: pictures are compared on a colour');
  return color;
}

async function writePicture(
  folder: string,
  name: string,
  { width, height, rgb }: { width: number; height: number; rgb: Float32Array },
) {
  const { encodePng } = await import('../../../fields/render/pictures.js');
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) rgba[i * 4 + c] = Math.round(rgb[i * 3 + c]! * 255);
  // A scene may name its pictures by any path; what is written stays below the folder.
  const safe = name.split(/[\\/]/).filter((part) => part !== '' && part !== '.' && part !== '..');
  const file = join(folder, `${safe.join('/').replace(/\.(png|jpe?g|webp|tiff?|bmp)$/i, '')}.png`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, await encodePng({ width, height, rgba }));
}

function summary({ psnr, ssim, secondsPerImage, images }: Evaluation): string {
  const width = Math.max(...images.map(({ name }) => name.length));
  const lines = images.map(
    (image) =>
      `${image.name.padEnd(width)}  ${image.psnr.toFixed(2)} dB  ${image.ssim.toFixed(4)}  ${image.seconds.toFixed(2)} s`,
  );
  lines.push(
    `${images.length} pictures: PSNR ${psnr.toFixed(2)} dB, SSIM ${ssim.toFixed(4)}, ${secondsPerImage.toFixed(2)} s each`,
  );
  return lines.join('\n');
}
