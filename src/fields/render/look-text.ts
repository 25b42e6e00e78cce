import { DafError } from '../../core/contracts/errors.js';
import { parseWhole } from '../../core/options/index.js';
import type { Vector3 } from '../types.js';
import { usablePrecision } from './precision.js';
import type { Precision, RenderLook } from './types.js';

/** How a picture looks, as the command line and the parameters of a job say it: all text. */
export interface LookText {
  /** Samples along the box's longest edge. @defaultValue 256, for fine grids 512 */
  readonly samples?: string;
  /** That many equal strata of each ray instead. */
  readonly samplesPerRay?: string;
  /** Two looks along each ray, for fields with a coarse network: `COARSE,FINE` samples, or `true` for `64,128`. */
  readonly importance?: string;
  /** Depths where rays begin and end, for fields made between fixed bounds. */
  readonly near?: string;
  readonly far?: string;
  /** `fp32`, `bf16` or `int8`; fp32 where the CPU has no other. @defaultValue fp32 */
  readonly precision?: string;
}

/** What errors call an option: as it is, or as the flag of a command. */
export type Naming = (option: string) => string;

export const LOOK_KEYS: readonly (keyof LookText)[] = ['samples', 'samplesPerRay', 'importance', 'near', 'far', 'precision'];

/** @throws DafError ERR_DAF_BAD_OPTION naming the option */
export function parseLook(text: LookText, named: Naming = (option) => option): RenderLook {
  const near = text.near === undefined ? undefined : parseDepth(named('near'), text.near);
  const far = text.far === undefined ? undefined : parseDepth(named('far'), text.far);
  if (!((near ?? 0) < (far ?? Number.POSITIVE_INFINITY))) {
    throw new DafError(
      'ERR_DAF_BAD_OPTION',
      `${named('far')} ${text.far}: nothing lies between that and ${named('near')} ${near ?? 0}`,
    );
  }
  return {
    ...(text.samples === undefined ? {} : { samples: parseWhole(named('samples'), text.samples, 8, 4096) }),
    ...(text.samplesPerRay === undefined
      ? {}
      : { samplesPerRay: parseWhole(named('samplesPerRay'), text.samplesPerRay, 1, 4096) }),
    ...(text.importance === undefined ? {} : { importance: parseImportance(named('importance'), text.importance) }),
    ...(near === undefined ? {} : { near }),
    ...(far === undefined ? {} : { far }),
    precision: usablePrecision(text.precision as Precision | undefined, named('precision')),
  };
}

/** @throws DafError ERR_DAF_BAD_OPTION */
export function parseBackground(text: string, name = 'background'): Vector3 | 'learned' | null {
  if (text === 'none') return null;
  if (text === 'learned') return text;
  if (text === 'white') return [1, 1, 1];
  if (text === 'black') return [0, 0, 0];
  const parts = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (parts.length !== 3 || !parts.every((value) => value >= 0 && value <= 1)) {
    throw new DafError(
      'ERR_DAF_BAD_OPTION',
      `${name} ${text}: expected none, learned, white, black, or three numbers 0–1 as r,g,b`,
    );
  }
  return parts as unknown as Vector3;
}

/** @throws DafError ERR_DAF_BAD_OPTION: nothing was learnt behind the field that is to be shown */
export function checkLearned(background: unknown, field: { readonly learnedBackground: boolean }, name = 'background'): void {
  if (background !== 'learned' || field.learnedBackground) return;
  throw new DafError('ERR_DAF_BAD_OPTION', `${name} learned: this field has no background that was learnt with it`, {
    hint: 'give a colour; daf nerf train --background learned makes fields that have one',
  });
}

function parseImportance(name: string, text: string): NonNullable<RenderLook['importance']> {
  if (text === 'true' || text === 'false') return text === 'true';
  const [coarse, fine, ...more] = text.split(',');
  if (coarse === undefined || fine === undefined || more.length > 0) {
    throw new DafError('ERR_DAF_BAD_OPTION', `${name} ${text}: expected COARSE,FINE samples, as in 64,128`);
  }
  return { coarse: parseWhole(name, coarse, 1, 1024), fine: parseWhole(name, fine, 1, 1024) };
}

function parseDepth(name: string, text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= 0 && value < Number.POSITIVE_INFINITY) return value;
  throw new DafError('ERR_DAF_BAD_OPTION', `${name} ${text}: expected a depth of at least 0, in the scene's unit`);
}
