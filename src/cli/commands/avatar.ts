import { resolve } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import { EMBEDDED } from '../../faces/models/embedded.js';
import { type AvatarRun, avatarText, runAvatars } from '../avatar-run.js';
import { type CommandSpec, wholeNumber } from '../command.js';
import { addLocalOptions, localOptions } from '../local-options.js';

export const avatar: CommandSpec = {
  usage: 'avatar <photos...>',
  summary: 'Turn photos of people into 3D avatars: a folder per person, or each photo its own person',
  examples: [
    'daf avatar ~/Pictures/family --out avatars --models ~/models',
    'daf avatar anna.jpg ben.jpg --out avatars --models ~/models --quality high',
    'daf avatar with-landmarks/ --out avatars    # photos with .pts or .json landmarks need no model',
  ],
  options(command) {
    command
      .requiredOption('--out <dir>', 'where avatars and contact sheet go')
      .option(
        '--models <dir>',
        'folder with a face detector and a 68-landmark model (.onnx); otherwise DAF_MODELS, then what daf models add left',
      )
      .option('--detector <file>', 'face detector (.onnx)')
      .option('--landmarks <file>', '68-landmark model (.onnx)')
      .option('--quality <level>', 'draft, standard or high', 'standard')
      .option('--keep <n>', 'photos of a person that count at most, best first', wholeNumber('--keep', 1, 32))
      .option('--dataset <kind>', 'auto, celeba, celeba-hq, ffhq, list, shards or folders', 'auto')
      .option('--limit <n>', 'photos of a data set at most', wholeNumber('--limit', 1, 100_000_000))
      .option('--people <n>', 'people of a data set at most', wholeNumber('--people', 1, 100_000_000))
      .option('--overwrite', 'replace the results of an earlier job')
      .option('--strict', 'exit with 1 when an input was refused');
    addLocalOptions(command);
  },
  async run(args, options, io) {
    const summary = await runAvatars(avatarRun(args[0] as string[], options), io);
    const exitCode = options['strict'] === true && summary.refused.length > 0 ? 1 : 0;
    return { json: summary, text: avatarText(summary), exitCode };
  },
};

/** A path as workers elsewhere understand it; a folder that is called `embedded` is `./embedded`. */
function place(path: string): string {
  return path === EMBEDDED ? path : resolve(path);
}

function avatarRun(inputs: readonly string[], options: Record<string, unknown>): AvatarRun {
  const params: Record<string, string> = { quality: String(options['quality']) };
  // Workers have another current directory.
  for (const name of ['models', 'detector', 'landmarks']) {
    if (options[name] !== undefined) params[name] = place(String(options[name]));
  }
  const models = process.env['DAF_MODELS'];
  if (params['models'] === undefined && models) params['models'] = place(models);
  if (options['keep'] !== undefined) params['keep'] = String(options['keep']);
  if (typeof options['out'] !== 'string') throw new DafError('ERR_DAF_BAD_OPTION', '--out is missing');
  return {
    inputs,
    out: options['out'],
    params,
    cluster: localOptions(options),
    overwrite: options['overwrite'] === true,
    dataset: datasetKind(String(options['dataset'])),
    limits: {
      photos: (options['limit'] as number | undefined) ?? null,
      people: (options['people'] as number | undefined) ?? null,
    },
  };
}

const KINDS = ['auto', 'celeba', 'celeba-hq', 'ffhq', 'list', 'shards', 'folders'] as const;

export function datasetKind(name: string): (typeof KINDS)[number] {
  const kind = KINDS.find((each) => each === name);
  if (kind !== undefined) return kind;
  throw new DafError('ERR_DAF_BAD_OPTION', `--dataset ${name}`, { hint: KINDS.join(', ') });
}
