import { resolve } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import { EMBEDDED } from '../../faces/models/embedded.js';
import { type AvatarRun, avatarText, runAvatars, submitAvatars } from '../avatar-run.js';
import { type CommandSpec, wholeNumber } from '../command.js';
import { addPlaceOptions, runPlace } from '../run-place.js';

export const avatar: CommandSpec = {
  usage: 'avatar <photos...>',
  summary: 'Turn photos of people into 3D avatars: a folder per person, or each photo its own person',
  examples: [
    'daf avatar ~/Pictures/family --out avatars --models ~/models',
    'daf avatar anna.jpg ben.jpg --out avatars --models ~/models --quality high',
    'daf avatar with-landmarks/ --out avatars    # photos with .pts or .json landmarks need no model',
    'daf avatar portraits/ --connect tcp://10.0.0.5:7788 --send-photos --out s3://faces/avatars',
  ],
  options(command) {
    command
      .requiredOption('--out <place>', 'where avatars and contact sheet go: a directory, or s3://bucket/prefix')
      .option(
        '--models <dir>',
        'folder with a face detector and a 68-landmark model (.onnx); otherwise DAF_MODELS, then what daf models add left',
      )
      .option('--detector <file>', 'face detector (.onnx)')
      .option('--landmarks <file>', '68-landmark model (.onnx)')
      .option('--head <name>', 'head model: embedded, or one that was added: ict-facekit', 'embedded')
      .option('--quality <level>', 'preview, draft, standard or high', 'standard')
      .option('--keep <n>', 'photos of a person that count at most, best first', wholeNumber('--keep', 1, 32))
      .option('--dataset <kind>', 'auto, celeba, celeba-hq, ffhq, list, shards or folders', 'auto')
      .option('--limit <n>', 'photos of a data set at most', wholeNumber('--limit', 1, 100_000_000))
      .option('--people <n>', 'people of a data set at most', wholeNumber('--people', 1, 100_000_000))
      .option('--overwrite', 'replace the results of an earlier job')
      .option('--strict', 'exit with 1 when an input was refused');
    addPlaceOptions(command);
    command
      .option('--send-photos', 'with --connect: photos travel with the job, for workers that do not see them under the same path')
      .option('--detach', 'with --connect: print the id of the job and leave');
  },
  async run(args, options, io) {
    const run = avatarRun(args[0] as string[], options);
    if (options['detach'] === true) {
      if (options['strict'] === true) {
        throw new DafError('ERR_DAF_BAD_OPTION', '--strict does not go with --detach', {
          hint: 'what was refused is known at the end: daf status ID --wait, and manifest.json',
        });
      }
      const submitted = await submitAvatars(run, io);
      return { json: submitted, text: submitted.id };
    }
    const summary = await runAvatars(run, io);
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
  if (options['head'] !== 'embedded') params['head'] = String(options['head']);
  // Workers have another current directory.
  for (const name of ['models', 'detector', 'landmarks']) {
    if (options[name] !== undefined) params[name] = place(String(options[name]));
  }
  // Workers of a cluster elsewhere have their own.
  const models = options['connect'] === undefined ? process.env['DAF_MODELS'] : undefined;
  if (params['models'] === undefined && models) params['models'] = place(models);
  if (options['keep'] !== undefined) params['keep'] = String(options['keep']);
  if (typeof options['out'] !== 'string') throw new DafError('ERR_DAF_BAD_OPTION', '--out is missing');
  return {
    inputs,
    out: options['out'],
    params,
    ...runPlace(options),
    sendPhotos: options['sendPhotos'] === true,
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
