import { DafError } from '../../core/contracts/errors.js';
import { checkKeys } from '../../core/options/index.js';

/**
 * Which arrays of a weight file are which layers, and what their shapes do not tell. A layer's name stands for `<name>.weight` [out][in] and
 * `<name>.bias` [out], as PyTorch writes a Linear.
 */
export interface KeyMap {
  /** The hidden layers in order. `*` stands for numbers that count up by one, e.g. `pts_linears.*`. */
  readonly hidden: readonly string[];
  /** Between the hidden layers and the view layer; as wide as the hidden layers. */
  readonly feature: string;
  /** One output, from the last hidden layer. */
  readonly density: string;
  /** Of the features and, behind them, the encoded direction. */
  readonly view: string;
  readonly color: string;
  /** Hidden layers, counted from 0, without ReLU. @defaultValue none */
  readonly linearLayers?: readonly number[];
  /** @defaultValue 'linear' */
  readonly featureActivation?: 'linear' | 'relu';
  /** @defaultValue 'relu' */
  readonly densityActivation?: 'relu' | 'exp';
  /** What comes first in the input of a layer that sees the encoded position again. @defaultValue 'encoding-first' */
  readonly skipOrder?: 'encoding-first' | 'hidden-first';
  /** What the coordinates are multiplied by before anything of them is encoded, e.g. π where frequencies are 2^k π. @defaultValue 1 */
  readonly coordinateScale?: number;
}

/** Layouts of PyTorch implementations that are known by their names. */
export const LAYOUTS: Readonly<Record<string, KeyMap>> = {
  // github.com/yenchenlin/nerf-pytorch and its many descendants
  'nerf-pytorch': {
    hidden: ['pts_linears.*'],
    feature: 'feature_linear',
    density: 'alpha_linear',
    view: 'views_linears.0',
    color: 'rgb_linear',
  },
  // github.com/kwea123/nerf_pl
  'nerf-pl': {
    hidden: ['xyz_encoding_*.0'],
    feature: 'xyz_encoding_final',
    density: 'sigma',
    view: 'dir_encoding.0',
    color: 'rgb.0',
  },
  // github.com/krrish94/nerf-pytorch, FlexibleNeRFModel
  'flexible-nerf': {
    hidden: ['layer1', 'layers_xyz.*'],
    feature: 'fc_feat',
    density: 'fc_alpha',
    view: 'layers_dir.0',
    color: 'fc_rgb',
    linearLayers: [0],
    featureActivation: 'relu',
    skipOrder: 'hidden-first',
  },
};

const KEYS: readonly (keyof KeyMap)[] = [
  'hidden',
  'feature',
  'density',
  'view',
  'color',
  'linearLayers',
  'featureActivation',
  'densityActivation',
  'skipOrder',
  'coordinateScale',
];

/** A key map from JSON, checked. @throws DafError ERR_DAF_BAD_OPTION naming the key. */
export function parseKeyMap(json: unknown): KeyMap {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw bad('it is no JSON object');
  checkKeys('key map', json, KEYS);
  const map = json as Partial<Record<keyof KeyMap, unknown>>;
  const text = (value: unknown): boolean => typeof value === 'string' && value !== '';
  for (const key of ['feature', 'density', 'view', 'color'] as const) {
    if (!text(map[key])) throw bad(`"${key}" must name a layer`);
  }
  if (!Array.isArray(map.hidden) || map.hidden.length === 0 || !map.hidden.every(text)) throw bad('"hidden" must list layers');
  if (map.linearLayers !== undefined && !Array.isArray(map.linearLayers)) throw bad('"linearLayers" must list numbers of layers');
  oneOf(map, 'featureActivation', ['linear', 'relu']);
  oneOf(map, 'densityActivation', ['relu', 'exp']);
  oneOf(map, 'skipOrder', ['encoding-first', 'hidden-first']);
  const scale = map.coordinateScale ?? 1;
  if (typeof scale !== 'number' || !Number.isFinite(scale) || scale === 0)
    throw bad('"coordinateScale" must be a number other than 0');
  return map as KeyMap;
}

function oneOf(map: Partial<Record<keyof KeyMap, unknown>>, key: keyof KeyMap, known: readonly string[]): void {
  if (map[key] !== undefined && !known.includes(map[key] as string)) throw bad(`"${key}" must be ${known.join(' or ')}`);
}

function bad(what: string): DafError {
  return new DafError('ERR_DAF_BAD_OPTION', `key map: ${what}`, { hint: 'docs/fields.md describes it, with an example' });
}
