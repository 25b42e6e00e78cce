import { toWire } from '../../core/contracts/errors.js';
import { formatBytes } from '../../core/options/index.js';
import { type CommandSpec, wholeNumber } from '../command.js';
import { datasetKind } from './avatar.js';
import { synth } from './dataset-synth.js';

const collect: CommandSpec = {
  usage: 'collect <manifest>',
  summary: 'Fetch the files of a list with addresses and SHA-256: in parallel, resumable, verified',
  examples: ['daf dataset collect ffhq.json --to ffhq', 'daf dataset collect ffhq.json --to ffhq --parallel 8 --json'],
  options(command) {
    command
      .requiredOption('--to <dir>', 'where the files go')
      .option('--parallel <n>', 'files fetched at once', wholeNumber('--parallel', 1, 64), 4);
  },
  async run(args, options, io) {
    const { collect: fetchAll, readCollectManifest } = await import('../../faces/datasets/collect.js');
    const manifest = await readCollectManifest(args[0] as string);
    const unknown = manifest.files.filter(({ bytes }) => bytes === null).length;
    const total = manifest.files.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
    const size = unknown === 0 ? formatBytes(total) : `at least ${formatBytes(total)} (${unknown} without "bytes")`;
    io.log(`${manifest.name}: ${manifest.files.length} files, ${size}\nlicence: ${manifest.licence ?? 'not stated'}`);
    const results = await fetchAll(manifest, {
      to: String(options['to']),
      parallel: options['parallel'] as number,
      signal: io.signal,
      progress: (bytes, files) => {
        const part = unknown === 0 && total > 0 ? bytes / total : files / manifest.files.length;
        io.progress.update(part, `${files}/${manifest.files.length} files, ${formatBytes(bytes)}`);
      },
    });
    const of = (state: string): number => results.filter((each) => each.state === state).length;
    const failed = results
      .filter(({ error }) => error !== null)
      .map(({ path, error }) => `failed ${path}: ${error!.code}: ${error!.message}`);
    return {
      json: { name: manifest.name, files: results.map((each) => ({ ...each, error: each.error && toWire(each.error) })) },
      text: [`${of('fetched')} fetched, ${of('there')} there already, ${of('failed')} failed`, ...failed].join('\n'),
      exitCode: failed.length === 0 ? 0 : 1,
    };
  },
};

const check: CommandSpec = {
  usage: 'check <path>',
  summary: 'Count a data set, name what is missing or damaged, and decode a sample; exit with 1 where something is wrong',
  examples: ['daf dataset check celeba', 'daf dataset check ffhq --sample 1000 --json'],
  options(command) {
    command
      .option('--dataset <kind>', 'auto, celeba, celeba-hq, ffhq, list, shards or folders', 'auto')
      .option('--sample <n>', 'photos to decode, spread over the set', wholeNumber('--sample', 0, 100_000_000), 100);
  },
  async run(args, options, io) {
    const { checkDataset } = await import('../../faces/datasets/check.js');
    const kind = datasetKind(String(options['dataset']));
    const found = await checkDataset(args[0] as string, kind, options['sample'] as number, io.signal);
    const { sample, faults } = found;
    const size = (of: readonly [number, number] | null): string => (of === null ? '–' : of.join('×'));
    const lines = [
      `${found.kind}: ${found.photos} photos of ${found.people} people, ${formatBytes(found.bytes)}; ${found.hinted} with landmarks or boxes`,
      `${sample.decoded} decoded, ${size(sample.smallest)} to ${size(sample.largest)}; ${sample.damaged.length} damaged`,
      ...Object.entries(faults).map(([code, count]) => `${count} × ${code}`),
      ...[...found.firstFaults, ...sample.damaged].map(({ name, error }) => `  ${name}: ${error.code}: ${error.message}`),
    ];
    const wrong = Object.keys(faults).length > 0 || sample.damaged.length > 0;
    return { json: found, text: lines.join('\n'), exitCode: wrong ? 1 : 0 };
  },
};

/** `daf dataset …`, in the order in which its help lists them. */
export const dataset: readonly CommandSpec[] = [check, collect, synth];
