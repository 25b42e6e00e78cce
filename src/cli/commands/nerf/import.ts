import { readFileSync } from 'node:fs';
import { DafError } from '../../../core/contracts/errors.js';
import type { ImportOptions } from '../../../fields/import/import-field.js';
import type { FieldBox } from '../../../fields/types.js';
import { type CommandSpec, wholeNumber } from '../../command.js';
import { box } from './options.js';
import { outputFile } from './output.js';

export const importWeights: CommandSpec = {
  usage: 'import <weights>',
  summary: 'Make a field of the weights of a PyTorch-style NeRF: .npz or safetensors',
  examples: [
    'daf nerf import lego.npz --out lego.safetensors',
    'daf nerf import weights.safetensors --prefix fine. --box=-4,-4,-4,4,4,4 --out field.safetensors',
    'daf nerf import mine.npz --keys keys.json --out field.safetensors    # docs/fields.md describes keys.json',
  ],
  options(command) {
    command
      .requiredOption('--out <file>', 'the field, safetensors')
      .option('--box <x,y,z,x,y,z>', 'where the scene lies, lower and upper corner (default: ±1.5)', box('--box'))
      .option(
        '--prefix <text>',
        'before the layers’ names, where the file holds several networks (default: the one that says fine)',
      )
      .option('--coarse <prefix>', 'of a second network, which says where along a ray the first one is asked (default: none)')
      .option('--keys <json>', 'a file that says which arrays are which layers')
      .option(
        '--occupancy <cells>',
        'of the occupancy grid along each axis, a multiple of 8 (default: 128)',
        wholeNumber('--occupancy', 8, 256),
      );
  },
  async run([weights], options) {
    const { importField } = await import('../../../fields/import/import-field.js');
    const out = options['out'] as string;
    const output = await outputFile(out);
    const { field, ...made } = importField(weights as string, await importOptions(options));
    using _ = field;
    field.saveFile(output);
    const { width, depth, skips } = made.options;
    const layers = `${depth} hidden layers of ${width}${skips?.length === 0 ? '' : `, the position again in ${skips?.join(', ')}`}`;
    return {
      json: { output, parameters: field.parameterCount, box: field.box, ...made },
      text: `${made.layout ?? 'key map'}, prefix "${made.prefix}": ${layers} → ${out}`,
    };
  },
};

async function importOptions(options: Record<string, unknown>): Promise<ImportOptions> {
  const { box, keys, prefix, coarse, occupancy } = options as Partial<Record<'keys' | 'prefix' | 'coarse', string>> & {
    box?: FieldBox;
    occupancy?: number;
  };
  const { parseKeyMap } = await import('../../../fields/import/key-map.js');
  return {
    ...(box === undefined ? {} : { box }),
    ...(keys === undefined ? {} : { keyMap: parseKeyMap(readJson(keys)) }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(coarse === undefined ? {} : { coarsePrefix: coarse }),
    ...(occupancy === undefined ? {} : { occupancy }),
  };
}

function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw DafError.from(error, 'ERR_DAF_IO');
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DafError('ERR_DAF_BAD_OPTION', `--keys ${path}: not JSON`, { cause });
  }
}
