import type { NativeFieldOptions, NativeTrainOptions } from '../core/addon/index.js';
import { DafError } from '../core/contracts/errors.js';
import { CLASSIC_KEYS, classicOptions } from './classic/options.js';
import type { FieldKind, FieldOptions, TrainingOptions, Vector3 } from './types.js';

/** Sparse options → complete ones, as native/nerf takes them. Ranges are checked there. */
export function fieldOptions(options: FieldOptions): NativeFieldOptions {
  const place = {
    boxMin: triple(options.box.min, 'box.min'),
    boxMax: triple(options.box.max, 'box.max'),
    unbounded: options.box.unbounded ?? false,
    occupancy: options.occupancy ?? 64,
    seed: options.seed ?? 1,
  };
  if (options.kind === 'classic') {
    refuseUnknown(options, ['kind', 'box', 'occupancy', 'seed', ...CLASSIC_KEYS]);
    return Object.freeze({ ...place, ...classicOptions(options, options.box) });
  }
  if (options.kind !== 'hashgrid') throw new DafError('ERR_DAF_BAD_OPTION', `field kind must be hashgrid or classic`);
  const shape = {
    levels: options.levels ?? 12,
    features: options.features ?? 2,
    log2Entries: options.log2Entries ?? 15,
    coarsest: options.coarsest ?? 8,
    finest: options.finest ?? 256,
    densityWidth: options.densityWidth ?? 64,
    colorWidth: options.colorWidth ?? 64,
    appearance: options.appearance ?? 0,
    images: options.images ?? 0,
  };
  refuseUnknown(options, ['kind', 'box', 'occupancy', 'seed', ...Object.keys(shape)]);
  return Object.freeze({ ...place, kind: 'hashgrid', ...shape });
}

export function trainingOptions(options: TrainingOptions, kind: FieldKind): NativeTrainOptions {
  const filled = {
    supervisedFraction: options.supervisedFraction ?? 0.5,
    samplesPerStep: options.samplesPerStep ?? 2048,
    totalSteps: options.totalSteps ?? 600,
    learningRate: options.learningRate ?? (kind === 'classic' ? 0.01 : 0.02),
    opacityWeight: options.opacityWeight ?? (kind === 'classic' ? 0.1 : 1),
    depthWeight: options.depthWeight ?? (kind === 'classic' ? 0.02 : 0.5),
    colorDelay: options.colorDelay ?? (kind === 'classic' ? 0 : 0.1),
    surfaceMargin: options.surfaceMargin ?? 0,
    maxSamplesPerRay: options.maxSamplesPerRay ?? 96,
    seed: options.seed ?? 1,
  };
  refuseUnknown(options, Object.keys(filled));
  return Object.freeze(filled);
}

function triple(values: Vector3, name: string): Float32Array {
  if (values.length !== 3) throw new DafError('ERR_DAF_BAD_OPTION', `${name} must hold three numbers`);
  return Float32Array.from(values);
}

function refuseUnknown(options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key))
      throw new DafError('ERR_DAF_BAD_OPTION', `unknown option "${key}"`, { hint: `known: ${known.join(', ')}` });
  }
}
