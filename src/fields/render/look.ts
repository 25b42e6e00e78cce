import type { NativeFieldLook } from '../../core/addon/index.js';
import { DafError } from '../../core/contracts/errors.js';
import { checkKeys } from '../../core/options/index.js';
import { usablePrecision } from './precision.js';
import type { RenderOptions } from './types.js';

const KEYS: readonly (keyof RenderOptions)[] = [
  'background',
  'samples',
  'samplesPerRay',
  'importance',
  'stratifiedSeed',
  'near',
  'far',
  'minTransmittance',
  'exhaustive',
  'precision',
  'floats',
  'normals',
  'width',
  'height',
  'window',
  'control',
];

/** Sparse options → complete ones, as native/nerf takes them; other ranges are checked there. @throws DafError ERR_DAF_BAD_OPTION */
export function renderLook(options: RenderOptions): NativeFieldLook {
  checkKeys('rendering', options, KEYS);
  const background = options.background ?? null;
  const learned = background === 'learned';
  if (background !== null && !learned && background.length !== 3) {
    throw new DafError('ERR_DAF_BAD_OPTION', 'background must hold three numbers, or be "learned" or null');
  }
  if (options.samplesPerRay === 0) {
    throw new DafError('ERR_DAF_BAD_OPTION', 'samplesPerRay must be 1–4096, or null for the marching lattice');
  }
  if (options.samples === 0) throw new DafError('ERR_DAF_BAD_OPTION', 'samples must be 8–4096');
  const importance = twoLooks(options.importance ?? false);
  return Object.freeze({
    background: background === null ? null : Float32Array.from(learned ? [0, 0, 0] : background),
    learnedBackground: learned,
    samples: options.samples ?? 0,
    samplesPerRay: options.samplesPerRay ?? 0,
    coarseSamples: importance.coarse,
    fineSamples: importance.fine,
    stratified: options.stratifiedSeed != null,
    seed: options.stratifiedSeed ?? 0,
    near: options.near ?? 0,
    far: options.far ?? Number.POSITIVE_INFINITY,
    minTransmittance: options.minTransmittance ?? 1e-3,
    exhaustive: options.exhaustive ?? false,
    precision: usablePrecision(options.precision),
  });
}

function twoLooks(importance: NonNullable<RenderOptions['importance']>): { coarse: number; fine: number } {
  if (typeof importance === 'boolean') return importance ? { coarse: 64, fine: 128 } : { coarse: 0, fine: 0 };
  if (!(importance.coarse >= 1 && importance.fine >= 1)) {
    throw new DafError('ERR_DAF_BAD_OPTION', 'importance must be true, false, or { coarse, fine }, 1–1024 samples each');
  }
  return importance;
}
