import { availableParallelism } from 'node:os';
import type { NativeSceneOptions } from '../../core/addon/index.js';
import { DafError } from '../../core/contracts/errors.js';
import { checkKeys, parseWhole } from '../../core/options/index.js';
import type { Scene } from '../scenes/types.js';
import type { FieldBox, FieldOptions, HashGridOptions } from '../types.js';
import type { FieldShape, TrainSceneOptions } from './types.js';
import { splitForValidation } from './validation.js';

const KEYS: readonly (keyof TrainSceneOptions)[] = [
  'field',
  'box',
  'seconds',
  'startedAt',
  'steps',
  'targetPsnr',
  'threads',
  'seed',
  'samplesPerStep',
  'samplesPerEdge',
  'occupiedDepth',
  'minWeight',
  'minTransmittance',
  'learningRate',
  'finalRate',
  'decayBegin',
  'warmupSteps',
  'averageDecay',
  'huber',
  'distortionWeight',
  'opacityWeight',
  'variationWeight',
  'near',
  'refinePoses',
  'appearance',
  'background',
  'checkpoint',
  'resume',
  'signal',
  'onProgress',
];

/** Every option filled; ranges of numbers for the core are checked there. */
export interface TrainPlan {
  readonly field: FieldOptions;
  /** Infinity where only steps or a quality end it. */
  readonly seconds: number;
  readonly steps: number;
  readonly targetPsnr: number | null;
  readonly startedAt: number;
  readonly session: NativeSceneOptions;
}

/** Sparse options → complete ones, with defaults tuned for quality by time of computing. @throws DafError ERR_DAF_BAD_OPTION */
export function trainPlan(scene: Scene, options: TrainSceneOptions): TrainPlan {
  checkKeys('training', options, KEYS);
  const seed = options.seed ?? 1;
  const box: FieldBox = { ...(options.box ?? scene.box), unbounded: scene.unbounded };
  const shape = options.field?.kind === 'classic' ? options.field : { ...hashGridFor(scene), ...options.field };
  const classic = shape.kind === 'classic';
  const steps = options.steps === undefined ? Number.POSITIVE_INFINITY : parseWhole('steps', options.steps, 1, 100_000_000);
  const seconds = options.seconds ?? (options.steps === undefined ? 300 : Number.POSITIVE_INFINITY);
  if (!(seconds > 0)) throw new DafError('ERR_DAF_BAD_OPTION', `seconds must be above 0, not ${seconds}`);
  if (options.targetPsnr !== undefined && !(options.targetPsnr > 0 && options.targetPsnr < 100))
    throw new DafError('ERR_DAF_BAD_OPTION', `targetPsnr must be between 0 and 100 dB, not ${options.targetPsnr}`);
  const background = options.background ?? (scene.hasAlpha ? 'random' : 'scene');
  const backgroundKind = ['scene', 'random', 'learned'].indexOf(background);
  if (backgroundKind < 0)
    throw new DafError('ERR_DAF_BAD_OPTION', `background must be random, scene or learned, not ${JSON.stringify(background)}`);
  if (background === 'learned' && scene.hasAlpha)
    throw new DafError('ERR_DAF_BAD_OPTION', 'a learned background needs pictures without transparent pixels: these hide theirs');
  if (background === 'random' && !scene.hasAlpha)
    throw new DafError('ERR_DAF_BAD_OPTION', 'a random background needs pictures with transparent pixels');
  return Object.freeze({
    field: { occupancy: classic ? 64 : 128, seed, ...shape, ...appearance(scene, options, shape), box },
    seconds,
    steps,
    targetPsnr: options.targetPsnr ?? null,
    startedAt: options.startedAt ?? performance.now(),
    session: Object.freeze({
      threads: parseWhole('threads', options.threads ?? availableParallelism(), 1, 64),
      seed,
      samplesPerStep: options.samplesPerStep ?? (classic ? 8192 : 32768),
      samplesPerEdge: options.samplesPerEdge ?? (classic || scene.unbounded ? 128 : 512),
      occupiedDepth: options.occupiedDepth ?? 0.03,
      minWeight: options.minWeight ?? (scene.unbounded ? 1e-4 : 1e-3),
      minTransmittance: options.minTransmittance ?? 1e-4,
      backgroundKind,
      background: Float32Array.from(scene.background ?? [0, 0, 0]),
      totalSteps: Number.isFinite(steps) ? steps : 0,
      learningRate: options.learningRate ?? (classic ? 1e-3 : 1e-2),
      finalRate: options.finalRate ?? 0.03,
      decayBegin: options.decayBegin ?? 0.4,
      warmupSteps: options.warmupSteps ?? 50,
      averageDecay: options.averageDecay ?? 0.95,
      huber: options.huber ?? 0.1,
      distortionWeight: options.distortionWeight ?? (scene.unbounded ? 0.02 : 0),
      opacityWeight: options.opacityWeight ?? 0,
      variationWeight: options.variationWeight ?? 0,
      near: options.near ?? scene.near,
      refinePoses: options.refinePoses ?? false,
    }),
  });
}

/** A code for each picture that is learnt from, in the order in which they are given to the session. */
function appearance(scene: Scene, options: TrainSceneOptions, shape: FieldShape): Pick<HashGridOptions, 'appearance' | 'images'> {
  const numbers = options.appearance ?? 0;
  if (numbers === 0) return {};
  if (shape.kind !== 'hashgrid')
    throw new DafError('ERR_DAF_BAD_OPTION', 'appearance needs a hash grid', { hint: 'leave one of field and appearance out' });
  return { appearance: numbers, images: splitForValidation(scene, options.targetPsnr !== undefined).learn.length };
}

/**
 * Tables grow with what there is to store: pictures of 100² need no more than 2^17 entries a level, those of 800² fill twice as many. An
 * unbounded box has half the cube's side.
 */
function hashGridFor(scene: Scene): FieldShape {
  const pixels = scene.frames
    .filter((frame) => frame.split === 'train')
    .reduce((sum, { camera }) => sum + camera.width * camera.height, 0);
  const large = pixels > 4e6;
  return {
    kind: 'hashgrid',
    levels: 12,
    features: 2,
    log2Entries: large ? 18 : 17,
    coarsest: 16,
    finest: (large ? 1024 : 512) * (scene.unbounded ? 2 : 1),
  };
}
