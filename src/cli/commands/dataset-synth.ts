import { resolve } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import { dafVersion } from '../../core/version.js';
import { type CommandIo, type CommandResult, type CommandSpec, wholeNumber } from '../command.js';
import { addPlaceOptions, PLACE_OPTIONS, refuseOptions, runPlace } from '../run-place.js';

const FORMS = ['crops', 'scenes', 'plain'] as const;

export const synth: CommandSpec = {
  usage: 'synth <folder>',
  summary:
    'Render people who do not exist: with --mix a data set of photos with their truth, else arrays to train face finders on',
  examples: [
    'daf dataset synth faces --count 60000 --mix private-synthetic --workers 8    # the same command again goes on',
    'daf dataset synth try --count 20 --mix private-synthetic --scale 0.25',
    'daf dataset synth s3://faces/set --count 60000 --mix private-synthetic --connect tcp://10.0.0.5:7788',
    'daf dataset synth crops --count 5000',
    'daf dataset synth scenes --form scenes --side 256 --count 2000 --seed 7',
  ],
  options(command) {
    command
      .option('--count <n>', 'pictures', wholeNumber('--count', 1, 100_000_000), 1000)
      .option('--seed <n>', 'the same seed gives the same pictures', wholeNumber('--seed', 0, 2 ** 48), 1)
      .option(
        '--mix <name>',
        'private-synthetic: JPEGs of 2048² (10 %), 1024² (30 %), 512² (40 %) and variants of them (20 %), ten of a person',
      )
      .option('--scale <share>', 'with --mix: sides times 1, 0.5, 0.25 or 0.125, for a quick look')
      .option('--overwrite', 'with --mix: replace an earlier set, finished or not')
      .option('--form <form>', 'without --mix: crops (one face; default), scenes (none to four) or plain (one, clean)')
      .option('--side <pixels>', 'without --mix: of a picture (default: 144)', wholeNumber('--side', 64, 512))
      .option('--head <file>', 'without --mix: head.safetensors instead of the embedded head');
    addPlaceOptions(command);
    command.option('--detach', 'with --connect: print the id of the job and leave');
  },
  run(args, options, io) {
    const folder = String(args[0]);
    return options['mix'] === undefined ? arrays(folder, options, io) : photos(folder, options, io);
  },
};

async function arrays(folder: string, options: Record<string, unknown>, io: CommandIo): Promise<CommandResult> {
  refuseOptions(options, ['scale', 'overwrite', 'detach', ...PLACE_OPTIONS], 'goes with --mix');
  const form = FORMS.find((each) => each === (options['form'] ?? 'crops'));
  if (form === undefined) throw new DafError('ERR_DAF_BAD_OPTION', `--form is ${FORMS.join(', ')}, not "${options['form']}"`);
  const { synthesizeShards } = await import('../../faces/datasets/synth.js');
  const count = options['count'] as number;
  const rendered = await synthesizeShards({
    out: folder,
    count,
    form,
    side: (options['side'] as number | undefined) ?? 144,
    seed: options['seed'] as number,
    head: (options['head'] as string | undefined) ?? null,
    signal: io.signal,
    progress: (pictures) => io.progress.update(pictures / count, `${pictures}/${count} pictures`),
  });
  return { json: { rendered, pictures: count }, text: `${rendered} pictures rendered, ${count - rendered} there already` };
}

async function photos(folder: string, options: Record<string, unknown>, io: CommandIo): Promise<CommandResult> {
  refuseOptions(options, ['form', 'side', 'head'], 'does not go with --mix');
  const { setText, runSet, submitSet } = await import('../set-run.js');
  const run = {
    out: folder,
    params: {
      mix: String(options['mix']),
      seed: String(options['seed']),
      count: String(options['count']),
      // As a number is written: 0.50 asks for the set that 0.5 made.
      scale: String(Number(options['scale'] ?? 1)),
      daf: dafVersion(),
    },
    place: runPlace(options),
    overwrite: options['overwrite'] === true,
  };
  if (options['detach'] === true) {
    const submitted = await submitSet(run, io);
    return { json: submitted, text: submitted.id ?? 'the set is there already' };
  }
  const summary = await runSet(run, io);
  return { json: summary, text: setText(summary, /^[a-z0-9+]+:\/\//i.test(folder) ? folder : resolve(folder)) };
}
