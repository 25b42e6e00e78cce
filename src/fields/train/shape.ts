import { DafError } from '../../core/contracts/errors.js';
import { checkKeys } from '../../core/options/index.js';
import { CLASSIC_KEYS } from '../classic/options.js';
import type { FieldKind } from '../types.js';
import type { FieldShape } from './types.js';

const HASH_GRID_KEYS = ['levels', 'features', 'log2Entries', 'coarsest', 'finest', 'densityWidth', 'colorWidth'] as const;
const WORDS: readonly string[] = ['featureActivation', 'densityActivation', 'coordinates'];
const LISTS: readonly string[] = ['skips', 'linearLayers'];
const SWITCHES: readonly string[] = ['rawPosition', 'rawDirection', 'coarse'];

/**
 * What a field is made with, from text as on a command line: options of {@link FieldShape} with commas between, e.g. `levels=16,log2Entries=19` or
 * `depth=4,width=128,skips=1+2,coarse=true`. Ranges are checked where the field is made.
 * @throws DafError ERR_DAF_BAD_OPTION naming the option
 */
export function parseShape(kind: string, text = ''): FieldShape {
  if (kind !== 'hashgrid' && kind !== 'classic')
    throw new DafError('ERR_DAF_BAD_OPTION', `field ${kind}: expected hashgrid or classic`);
  const values: Record<string, unknown> = {};
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const equals = part.indexOf('=');
    const name = part.slice(0, equals).trim();
    if (equals <= 0) throw new DafError('ERR_DAF_BAD_OPTION', `shape: "${part}"; expected option=value, as in levels=16`);
    values[name] = parseValue(name, part.slice(equals + 1).trim());
  }
  checkKeys(`shape of a ${kind} field`, values, keysOf(kind));
  return { kind, ...values } as FieldShape;
}

function keysOf(kind: FieldKind): readonly string[] {
  return ['occupancy', ...(kind === 'classic' ? CLASSIC_KEYS : HASH_GRID_KEYS)];
}

function parseValue(name: string, text: string): unknown {
  if (WORDS.includes(name)) return text;
  if (SWITCHES.includes(name)) {
    if (text === 'true' || text === 'false') return text === 'true';
    throw new DafError('ERR_DAF_BAD_OPTION', `shape: ${name}=${text}; expected true or false`);
  }
  if (LISTS.includes(name)) return text === '' ? [] : text.split('+').map((each) => parseNumber(name, each));
  return parseNumber(name, text);
}

function parseNumber(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value))
    throw new DafError('ERR_DAF_BAD_OPTION', `shape: ${name}=${text} is not a number`);
  return value;
}
