import { DafError } from '../core/contracts/errors.js';

export type Quality = 'preview' | 'draft' | 'standard' | 'high';

/** Quality levels are step counts, never seconds. */
export interface QualityLevel {
  /** Largest side of the crop that is measured and painted from, pixels: no finer than the texture asks for. */
  readonly cropSide: number;
  /** Texels a side. */
  readonly texture: number;
  /** Training steps of the field, 2048 samples each. */
  readonly steps: number;
  /** Neurons a layer of the field's networks: a short training makes more of few than of many, and sooner. */
  readonly fieldWidth: number;
  /** Of the first half of the steps; it falls in the second. Lower, fewer steps tell outlines as well. */
  readonly learningRate: number;
  /** Share of the steps that see no colour yet. */
  readonly colorDelay: number;
  /** Random views of the textured head that supervise the field, and their size in pixels. */
  readonly supervisedViews: number;
  readonly supervisedSize: number;
  /** Longer side that photos are brought to for the field, pixels. */
  readonly photoSize: number;
  /** Pixels a side of preview.png. */
  readonly preview: number;
}

export const QUALITY: Readonly<Record<Quality, QualityLevel>> = Object.freeze({
  // For crowds of small photos, and to see what a job will make: all files, each as small as it is of use.
  preview: {
    cropSide: 224,
    texture: 256,
    steps: 64,
    fieldWidth: 32,
    learningRate: 0.02,
    colorDelay: 0.03,
    supervisedViews: 12,
    supervisedSize: 64,
    photoSize: 96,
    preview: 128,
  },
  draft: {
    cropSide: 448,
    texture: 512,
    steps: 150,
    fieldWidth: 32,
    learningRate: 0.02,
    colorDelay: 0.03,
    supervisedViews: 20,
    supervisedSize: 112,
    photoSize: 192,
    preview: 256,
  },
  standard: {
    cropSide: 768,
    texture: 1024,
    steps: 700,
    fieldWidth: 64,
    learningRate: 0.013,
    colorDelay: 0.1,
    supervisedViews: 48,
    supervisedSize: 240,
    photoSize: 320,
    preview: 512,
  },
  high: {
    cropSide: 768,
    texture: 1024,
    steps: 3000,
    fieldWidth: 64,
    learningRate: 0.02,
    colorDelay: 0.1,
    supervisedViews: 64,
    supervisedSize: 256,
    photoSize: 384,
    preview: 512,
  },
});

/** Everything the job's tasks must know, complete and frozen. */
export interface AvatarOptions {
  readonly quality: Quality;
  readonly level: QualityLevel;
  /** How many observations of a person count. */
  readonly keep: number;
  /** Folder of vision models, or single files; null where side-cars suffice. */
  readonly models: string | null;
  readonly detector: string | null;
  readonly landmarks: string | null;
  readonly seed: number;
  /** `embedded`, or the name of a head model that was added. */
  readonly head: string;
}

const NAMES = ['quality', 'keep', 'models', 'detector', 'landmarks', 'seed', 'head'];

/**
 * The job's parameters, checked.
 * @param params `quality` preview, draft, standard (default) or high; `keep` 1–32 (default 8); `models` a folder; `detector` and `landmarks`
 * model files; `seed` (default 1); `head` (default embedded).
 * @throws DafError ERR_DAF_BAD_OPTION for unknown names and values out of range.
 */
export function avatarOptions(params: Readonly<Record<string, string>>): AvatarOptions {
  for (const name of Object.keys(params)) {
    if (!NAMES.includes(name)) {
      throw new DafError('ERR_DAF_BAD_OPTION', `unknown parameter "${name}"`, { hint: `known: ${NAMES.join(', ')}` });
    }
  }
  const quality = params['quality'] ?? 'standard';
  if (!isQuality(quality)) {
    throw new DafError('ERR_DAF_BAD_OPTION', `quality "${quality}"`, { hint: 'preview, draft, standard or high' });
  }
  return Object.freeze({
    quality,
    level: QUALITY[quality],
    keep: whole('keep', params['keep'] ?? '8', 1, 32),
    models: params['models'] ?? null,
    detector: params['detector'] ?? null,
    landmarks: params['landmarks'] ?? null,
    head: headName(params['head'] ?? 'embedded'),
    seed: whole('seed', params['seed'] ?? '1', 0, 0xffffffff),
  });
}

const isQuality = (name: string): name is Quality => Object.hasOwn(QUALITY, name);

function headName(name: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name)) return name;
  throw new DafError('ERR_DAF_BAD_OPTION', `head "${name}"`, {
    hint: 'embedded, or the name of a head that daf models list shows',
  });
}

function whole(name: string, value: string, low: number, high: number): number {
  const number = Number(value);
  if (value.trim() === '' || !Number.isInteger(number) || number < low || number > high) {
    throw new DafError('ERR_DAF_BAD_OPTION', `${name} "${value}" is not a whole number from ${low} to ${high}`);
  }
  return number;
}

/**
 * A person's folder below `avatars/`: the identity's key as src/faces makes it, one safe path component.
 * @throws DafError ERR_DAF_BAD_ARGUMENT for a key that is not.
 */
export function identityFolder(key: string): string {
  if (!/^[\p{L}\p{N}_-][\p{L}\p{N}\p{M}._-]{0,79}$/u.test(key)) {
    throw new DafError('ERR_DAF_BAD_ARGUMENT', `"${key}" is no identity key`, { hint: 'use the keys that listPhotos gives' });
  }
  return key;
}
