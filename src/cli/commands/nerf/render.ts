import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DafError } from '../../../core/contracts/errors.js';
import type { RenderPool } from '../../../fields/render/pool.js';
import type { Shot, ShotOptions } from '../../../fields/render/shot.js';
import type { RenderedImage } from '../../../fields/render/types.js';
import { type CommandIo, type CommandSpec, wholeNumber } from '../../command.js';
import { limitMemory } from './memory.js';
import { addLookOptions, flagOf, lookTexts, texts } from './options.js';
import { outputFile } from './output.js';

const FRAMES_PER_SECOND = 24;

export const renderField: CommandSpec = {
  usage: 'render <field>',
  summary: 'Render a field along a camera path: an animated WebP, or a folder of PNG frames',
  examples: [
    'daf nerf render lego.safetensors --path orbit --frames 60 --size 512x512 --out turntable.webp',
    'daf nerf render fox.safetensors --path spiral --around fox --out frames/ --depth --normals',
    'daf nerf render imported.safetensors --samples-per-ray 192 --near 2 --far 6 --out imported.webp',
    'daf nerf render lego.safetensors --path transforms_test.json --size 800x800 --background white --out test/',
  ],
  options(command) {
    command
      .requiredOption('--out <path>', 'an animation when it ends in .webp, otherwise the folder of the frames')
      .option('--path <path>', 'orbit, spiral, or a file of poses in the form of transforms.json', 'orbit')
      .option('--frames <n>', 'frames of the path (default: 60, or every pose of the file)')
      .option('--size <size>', 'pixels, WIDTHxHEIGHT (default: 512x512, or what the file of poses says)')
      .option('--around <scene>', 'stand where the cameras of this scene stood (default: around the field’s box)')
      .option('--up <axis>', 'without --around: y for heads, z for captures (default: z)')
      .option('--elevation <degrees>', 'above the horizon (default: 15, or as the cameras stood)')
      .option('--zoom <factor>', 'how many times nearer (default: 1)')
      .option(
        '--background <colour>',
        'none, learned (with the field), white, black or r,g,b (default: none, which is transparent)',
      )
      .option('--fps <n>', 'frames a second of the animation', wholeNumber('--fps', 1, 240), FRAMES_PER_SECOND)
      .option('--depth', 'frames: also write the depth of each, as NNNNN-depth.png')
      .option('--normals', 'frames: also write the normals of each, as NNNNN-normals.png')
      .option('--threads <n>', 'threads that render (default: one for each core)', wholeNumber('--threads', 1, 256))
      .option('--memory <size>', 'what the process may use', '512MB');
    addLookOptions(command);
  },
  async run([file], options, io) {
    const [{ Field }, { RenderPool }, { planShot }, { checkFrameMemory }] = await Promise.all([
      import('../../../fields/field.js'),
      import('../../../fields/render/pool.js'),
      import('../../../fields/render/shot.js'),
      import('../../../fields/render/frame-memory.js'),
    ]);
    const out = options['out'] as string;
    const animated = out.endsWith('.webp');
    if (animated && (options['depth'] === true || options['normals'] === true)) {
      throw new DafError('ERR_DAF_BAD_OPTION', '--depth and --normals go with frames', { hint: '--out FOLDER/' });
    }
    const memory = await limitMemory(options['memory'] as string);
    using field = Field.load(file as string);
    const shot = await planShot(field, shotOptions(options), { named: flagOf, signal: io.signal });
    for (const camera of shot.cameras) checkFrameMemory(camera, memory - 4 * field.parameterCount, options['normals'] === true);
    if (animated) await outputFile(out);
    await using pool = new RenderPool(field, options['threads'] as number | undefined);
    const started = performance.now();
    const render = (i: number, normals: boolean): Promise<RenderedImage> => renderFrame(pool, shot, i, normals, io);
    const files = animated
      ? await writeAnimation(out, shot, (i) => render(i, false), options['fps'] as number)
      : await writeFrames(out, shot, (i) => render(i, options['normals'] === true), options['depth'] === true);
    const seconds = (performance.now() - started) / 1000;
    const frames = shot.cameras.length;
    const each = seconds / frames;
    return {
      json: { output: resolve(out), files, frames, secondsPerFrame: each },
      text: `${frames} frames in ${seconds.toFixed(1)} s (${each.toFixed(2)} s each) → ${out}`,
    };
  },
};

function shotOptions(options: Record<string, unknown>): ShotOptions {
  const where = texts(options, ['path', 'frames', 'size', 'around', 'up', 'elevation', 'zoom', 'background']);
  return { ...where, ...lookTexts(options) };
}

function renderFrame(
  pool: RenderPool,
  { cameras, look }: Shot,
  i: number,
  normals: boolean,
  io: CommandIo,
): Promise<RenderedImage> {
  return pool.render(cameras[i]!, {
    ...look,
    normals,
    signal: io.signal,
    onProgress: (fraction) => io.progress.update((i + fraction) / cameras.length, `frame ${i + 1} of ${cameras.length}`),
  });
}

async function writeAnimation(
  out: string,
  { cameras }: Shot,
  render: (i: number) => Promise<RenderedImage>,
  fps: number,
): Promise<string[]> {
  const [{ encodeWebp }, { checkOneSize }, { animateWebp }] = await Promise.all([
    import('../../../fields/render/pictures.js'),
    import('../../../fields/render/shot.js'),
    import('../../../fields/render/webp.js'),
  ]);
  const size = checkOneSize(cameras);
  const stills: Uint8Array[] = [];
  for (let i = 0; i < cameras.length; i++) stills.push(await encodeWebp(await render(i)));
  await writeFile(out, animateWebp(stills, size, 1000 / fps));
  return [out];
}

async function writeFrames(
  folder: string,
  { cameras }: Shot,
  render: (i: number) => Promise<RenderedImage>,
  depth: boolean,
): Promise<string[]> {
  const { depthPicture, encodePng, normalPicture } = await import('../../../fields/render/pictures.js');
  await mkdir(folder, { recursive: true });
  const files: string[] = [];
  for (let i = 0; i < cameras.length; i++) {
    const image = await render(i);
    const { width, height, normal } = image;
    const pictures = {
      '': image,
      ...(depth ? { '-depth': depthPicture(image.depth, width, height) } : {}),
      ...(normal === undefined ? {} : { '-normals': normalPicture(normal, width, height) }),
    };
    for (const [suffix, picture] of Object.entries(pictures)) {
      const file = join(folder, `${String(i).padStart(5, '0')}${suffix}.png`);
      await writeFile(file, await encodePng(picture));
      files.push(file);
    }
  }
  return files;
}
