import { DafError } from '../../../core/contracts/errors.js';
import { checkKeys, parseChoice, parseWhole } from '../../../core/options/index.js';
import { MIX_NAMES, type SetOptions } from './mix.js';

/** Parameters of the job, as texts. `daf` is the version that makes the set: another one may render other bytes. */
const NAMES = ['mix', 'seed', 'count', 'scale', 'daf'];
export const SCALES = [1, 0.5, 0.25, 0.125] as const;
/** Of one set: beyond it the list of its files outgrows the coordinator that a command starts for itself. */
export const MOST_PHOTOS = 60_000;

/** @throws DafError ERR_DAF_BAD_OPTION */
export function setOptions(params: Readonly<Record<string, string>>): SetOptions & { readonly daf: string } {
  checkKeys('synthetic-photos', params, NAMES);
  const scale = SCALES.find((each) => each === Number(params['scale'] ?? 1));
  if (scale === undefined) {
    throw new DafError('ERR_DAF_BAD_OPTION', `scale ${params['scale']}`, { hint: SCALES.join(', ') });
  }
  const count = Number(params['count']);
  if (count > MOST_PHOTOS) {
    throw new DafError('ERR_DAF_BAD_OPTION', `a set has at most ${MOST_PHOTOS} photos, not ${count}`, {
      hint: 'make several, each with another --seed: their people differ',
    });
  }
  return Object.freeze({
    mix: parseChoice('mix', params['mix'] ?? '', MIX_NAMES),
    seed: parseWhole('seed', Number(params['seed'] ?? 1), 0, 2 ** 48),
    count: parseWhole('count', count, 1, MOST_PHOTOS),
    scale,
    daf: params['daf'] ?? '',
  });
}
