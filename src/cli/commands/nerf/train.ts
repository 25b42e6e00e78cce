import { writeFile } from 'node:fs/promises';
import { DafError } from '../../../core/contracts/errors.js';
import { formatBytes, parseDuration } from '../../../core/options/index.js';
import type { RefinedPose } from '../../../fields/train/poses.js';
import type { TrainProgress, TrainSceneOptions } from '../../../fields/train/types.js';
import type { FieldBox } from '../../../fields/types.js';
import { type CommandSpec, wholeNumber } from '../../command.js';
import { box, realNumber } from './options.js';
import { outputFile } from './output.js';

export const trainField: CommandSpec = {
  usage: 'train <scene>',
  summary: 'Train a radiance field from the posed pictures of a scene',
  examples: [
    'daf nerf train nerf_synthetic/lego --out lego.safetensors --time 15m',
    'daf nerf train fox --out fox.safetensors --target-psnr 25',
    'daf nerf train room --out room.safetensors --shape levels=16,log2Entries=19 --time 30m',
    'daf nerf train phone --out phone.safetensors --refine-poses    # poses that are slightly wrong',
    'daf nerf train fox --out fox.safetensors --time 1h --resume    # goes on after Ctrl-C',
  ],
  options(command) {
    command
      .requiredOption('--out <file>', 'where the field goes, as safetensors')
      .option('--field <kind>', 'hashgrid or classic', 'hashgrid')
      .option(
        '--shape <options>',
        'of the field, with commas between: levels, features, log2Entries, coarsest, finest, densityWidth, colorWidth; classic: ' +
          'depth, width, positionFrequencies, directionFrequencies, skips, coarse, … (default: what suits the scene)',
      )
      .option('--time <duration>', 'of the wall clock from the start of the process (default: 5m, or unlimited with --steps)')
      .option('--steps <n>', 'steps instead: the same result in every run', wholeNumber('--steps', 1, 100_000_000))
      .option(
        '--target-psnr <dB>',
        'end when an eighth of the training pictures, not learnt from, reach it',
        realNumber('--target-psnr', 0.1, 99.9),
      )
      .option('--threads <n>', 'threads that train (default: one for each core)', wholeNumber('--threads', 1, 64))
      .option('--seed <n>', 'of every random choice', wholeNumber('--seed', 0, 2 ** 32 - 1), 1)
      .option('--resume', 'go on from the checkpoint beside the output, where there is one')
      .option(
        '--background <colour>',
        'behind transparent pixels: white, black, r,g,b or random; learned: behind the scene (default: what the scene says)',
      )
      .option(
        '--box <x,y,z,x,y,z>',
        'where the scene lies, lower and upper corner (default: found from its cameras)',
        box('--box'),
      )
      .option('--samples-per-step <n>', 'samples that a step learns from', wholeNumber('--samples-per-step', 256, 1 << 22))
      .option('--learning-rate <rate>', 'at the beginning', realNumber('--learning-rate', 1e-9, 1))
      .option('--distortion <weight>', 'of the distortion loss, against floaters', realNumber('--distortion', 0))
      .option('--opacity <weight>', 'of the opacity entropy: opaque or empty', realNumber('--opacity', 0))
      .option('--variation <weight>', 'of the total variation of the hash tables, against noise', realNumber('--variation', 0))
      .option(
        '--appearance <n>',
        'numbers for the look of each picture where exposures differ: 4, 8, … 32',
        wholeNumber('--appearance', 0, 32),
      )
      .option('--refine-poses', 'correct the poses of the training pictures as well, and write them to <out>.poses.json');
  },
  async run([path], options, io) {
    const [{ openScene }, { parseShape }, { trainScene }, { parseBackground }] = await Promise.all([
      import('../../../fields/scenes/open.js'),
      import('../../../fields/train/shape.js'),
      import('../../../fields/train/train-scene.js'),
      import('../../../fields/render/look-text.js'),
    ]);
    const field = parseShape(options['field'] as string, options['shape'] as string | undefined);
    const training = trainOptions(options);
    const named = options['background'] as string | undefined;
    const kind = named === 'random' || named === 'learned' ? named : undefined;
    const color = named === undefined || kind !== undefined ? null : parseBackground(named, '--background');
    if (named === 'none') throw new DafError('ERR_DAF_BAD_OPTION', '--background none: pictures are learnt on a colour');
    const scene = await openScene(path as string, {
      split: 'train',
      signal: io.signal,
      ...(options['box'] === undefined ? {} : { box: options['box'] as FieldBox }),
      ...(color === null || color === 'learned' ? {} : { background: color }),
    });
    const out = await outputFile(options['out'] as string);
    const trained = await trainScene(scene, {
      ...training,
      field,
      ...(kind === undefined ? {} : { background: kind }),
      startedAt: 0, // performance.now() counts from the start of the process
      checkpoint: out.replace(/(\.safetensors)?$/, '.training.safetensors'),
      resume: options['resume'] === true,
      signal: io.signal,
      onProgress: (each) => io.progress.update(each.fraction, liveLine(each)),
    });
    using result = trained.field;
    const { progress, threads, peakMemory } = trained;
    result.saveFile(out);
    const poses = trained.poses === null ? null : await writePoses(out, trained.poses);
    return {
      json: {
        output: out,
        kind: result.kind,
        parameters: result.parameterCount,
        threads,
        ...progress,
        peakMemory,
        ...(poses === null ? {} : { poses: { file: poses.file, moved: poses.moved, turned: poses.turned } }),
      },
      text: `${out}: ${liveLine(progress)}, ${progress.seconds.toFixed(0)} s, peak ${formatBytes(peakMemory)}${poses?.text ?? ''}`,
    };
  },
};

/** Beside the field. */
async function writePoses(out: string, poses: readonly RefinedPose[]) {
  const { movement, posesJson } = await import('../../../fields/train/poses.js');
  const file = out.replace(/(\.safetensors)?$/, '.poses.json');
  await writeFile(file, posesJson(poses)).catch((error: unknown) => {
    throw DafError.from(error, 'ERR_DAF_IO');
  });
  const { moved, turned } = movement(poses);
  const line = (name: 'median' | 'largest'): string => `${moved[name].toPrecision(2)} units and ${turned[name].toFixed(2)}°`;
  return { file, moved, turned, text: `\n${file}: poses moved by ${line('median')} (median), at most ${line('largest')}` };
}

/** Numbers, checked as they were read, under the names that training has for them. */
const NUMBERS: Readonly<Record<string, keyof TrainSceneOptions>> = {
  steps: 'steps',
  targetPsnr: 'targetPsnr',
  threads: 'threads',
  seed: 'seed',
  samplesPerStep: 'samplesPerStep',
  learningRate: 'learningRate',
  distortion: 'distortionWeight',
  opacity: 'opacityWeight',
  variation: 'variationWeight',
  appearance: 'appearance',
};

function trainOptions(options: Record<string, unknown>): TrainSceneOptions {
  const given = Object.entries(NUMBERS).filter(([flag]) => options[flag] !== undefined);
  const { time, appearance, field } = options;
  const codes = appearance as number | undefined;
  if (codes !== undefined && (codes % 4 !== 0 || (codes > 0 && field === 'classic'))) {
    throw new DafError('ERR_DAF_BAD_OPTION', `--appearance ${codes}: expected a multiple of 4, with --field hashgrid`);
  }
  if (Number(options['variation'] ?? 0) > 0 && field === 'classic') {
    throw new DafError('ERR_DAF_BAD_OPTION', `--variation ${options['variation']}: a classic field has no tables`);
  }
  return {
    ...(time === undefined ? {} : { seconds: parseDuration('--time', time, 1) / 1000 }),
    ...Object.fromEntries(given.map(([flag, name]) => [name, options[flag]])),
    ...(options['refinePoses'] === true ? { refinePoses: true } : {}),
  };
}

/** What the terminal shows while it trains. */
function liveLine({ step, loss, psnr, validationPsnr, samplesPerSecond, memory }: TrainProgress): string {
  const held = validationPsnr === undefined ? '' : ` (held out ${validationPsnr.toFixed(2)})`;
  const rate = `${(samplesPerSecond / 1e6).toFixed(2)} M samples/s`;
  return `step ${step}  loss ${loss.toFixed(5)}  ${psnr.toFixed(2)} dB${held}  ${rate}  ${formatBytes(memory)}`;
}
