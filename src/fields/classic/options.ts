import type { NativeClassicOptions } from '../../core/addon/index.js';
import { DafError } from '../../core/contracts/errors.js';
import type { FieldBox } from '../types.js';
import type { ClassicOptions } from './types.js';

/** The options that are the classic field's own. */
export const CLASSIC_KEYS: readonly (keyof ClassicOptions)[] = [
  'width',
  'depth',
  'positionFrequencies',
  'directionFrequencies',
  'viewWidth',
  'skips',
  'linearLayers',
  'featureActivation',
  'densityActivation',
  'rawPosition',
  'rawDirection',
  'coarse',
  'coordinates',
  'coordinateScale',
];

/** Sparse options → complete ones, as native/nerf takes them; ranges are checked there. @throws DafError ERR_DAF_BAD_OPTION */
export function classicOptions(options: ClassicOptions, box: FieldBox): NativeClassicOptions {
  const width = options.width ?? 256;
  const depth = options.depth ?? 8;
  const { scale, shift } = encodedInput(options, box);
  return {
    kind: 'classic',
    width,
    depth,
    positionFrequencies: options.positionFrequencies ?? 10,
    directionFrequencies: options.directionFrequencies ?? 4,
    viewWidth: options.viewWidth ?? Math.ceil(width / 16) * 8,
    skips: layerList('skips', options.skips ?? (depth > 1 ? [Math.floor(depth / 2)] : [])),
    linearLayers: layerList('linearLayers', options.linearLayers ?? []),
    featureRelu: oneOf('featureActivation', options.featureActivation ?? 'linear', ['linear', 'relu']) === 'relu',
    reluDensity: oneOf('densityActivation', options.densityActivation ?? 'exp', ['exp', 'relu']) === 'relu',
    rawPosition: options.rawPosition ?? true,
    rawDirection: options.rawDirection ?? true,
    coarse: options.coarse ?? false,
    inputScale: scale,
    inputShift: shift,
  };
}

/** The field is asked at points of the unit cube; what it encodes of them is scale · point + shift. */
function encodedInput(options: ClassicOptions, box: FieldBox): { scale: Float32Array; shift: Float32Array } {
  const by = options.coordinateScale ?? 1;
  if (oneOf('coordinates', options.coordinates ?? 'box', ['box', 'world']) === 'box') {
    return { scale: new Float32Array(3).fill(2 * by), shift: new Float32Array(3).fill(-by) };
  }
  if (box.unbounded === true) {
    throw new DafError('ERR_DAF_BAD_OPTION', 'coordinates "world" need a bounded box: an unbounded one bends them');
  }
  return {
    scale: Float32Array.from(box.max, (max, axis) => (max - box.min[axis]!) * by),
    shift: Float32Array.from(box.min, (min) => min * by),
  };
}

function layerList(name: string, layers: readonly number[]): Uint32Array {
  if (!Array.isArray(layers) || !layers.every((layer) => Number.isInteger(layer) && layer >= 0 && layer < 2 ** 32)) {
    throw new DafError('ERR_DAF_BAD_OPTION', `${name} must list hidden layers, counted from 0`);
  }
  return Uint32Array.from(layers);
}

function oneOf<T extends string>(name: string, value: T, known: readonly T[]): T {
  if (known.includes(value)) return value;
  throw new DafError('ERR_DAF_BAD_OPTION', `${name} is ${JSON.stringify(value)}; expected ${known.join(' or ')}`);
}
