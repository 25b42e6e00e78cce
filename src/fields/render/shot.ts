import { DafError } from '../../core/contracts/errors.js';
import { checkKeys, parseWhole } from '../../core/options/index.js';
import { openScene } from '../scenes/open.js';
import type { FieldBox, FieldCamera, Vector3 } from '../types.js';
import { type Orbit, orbitOfBox, orbitOfCameras, orbitPath, type PictureSize, spiralPath } from './orbit.js';
import { posesFromFile } from './poses.js';
import { usablePrecision } from './precision.js';
import type { Precision } from './types.js';

/** What to render of a field, as the command line and the parameters of a job say it: all text. */
export interface ShotOptions {
  /** `orbit`, `spiral`, or a file of poses in the form of `transforms.json`. @defaultValue orbit */
  readonly path?: string;
  /** @defaultValue 60, or every pose of the file; fewer of them are taken evenly */
  readonly frames?: string;
  /** `512` or `640x480`, each side 1–16384. @defaultValue 512x512, or what the file says */
  readonly size?: string;
  /** A scene whose cameras say where to stand. @defaultValue around the field's box */
  readonly around?: string;
  /** Without `around`: which axis is up, `y` or `z`. @defaultValue z */
  readonly up?: string;
  /** Degrees above the horizon. @defaultValue 15, or the mean of the cameras */
  readonly elevation?: string;
  /** How many times nearer. @defaultValue 1 */
  readonly zoom?: string;
  /** `none` (transparent), `learned` with the field, `white`, `black`, or `r,g,b` in 0–1. @defaultValue none */
  readonly background?: string;
  /** Samples along the box's longest edge. @defaultValue 256 */
  readonly samples?: string;
  /** `fp32`, `bf16` or `int8`; fp32 where the CPU has no other. @defaultValue fp32 */
  readonly precision?: string;
}

export interface Shot {
  readonly cameras: readonly FieldCamera[];
  readonly look: { readonly background: Vector3 | 'learned' | null; readonly samples: number; readonly precision: Precision };
}

const KEYS: readonly (keyof ShotOptions)[] = [
  'path',
  'frames',
  'size',
  'around',
  'up',
  'elevation',
  'zoom',
  'background',
  'samples',
  'precision',
];
const DEFAULT_SIZE: PictureSize = { width: 512, height: 512 };
const DEFAULT_FRAMES = 60;

/** @throws DafError ERR_DAF_BAD_OPTION; what openScene and posesFromFile throw */
export async function planShot(box: FieldBox, options: ShotOptions): Promise<Shot> {
  checkKeys('a shot', options, KEYS);
  const look = {
    background: parseBackground(options.background ?? 'none'),
    samples: parseWhole('samples', options.samples ?? 256, 8, 4096),
    precision: usablePrecision((options.precision ?? 'fp32') as Precision),
  };
  const size = options.size === undefined ? null : parseSize(options.size);
  const frames = options.frames === undefined ? null : parseWhole('frames', options.frames, 1, 100_000);
  const path = options.path ?? 'orbit';
  if (path !== 'orbit' && path !== 'spiral') {
    const cameras = posesFromFile(path, size);
    return { cameras: frames === null ? cameras : evenly(cameras, frames), look };
  }
  const orbit = await orbitFor(box, options);
  const along = path === 'orbit' ? orbitPath : spiralPath;
  return { cameras: along(orbit, frames ?? DEFAULT_FRAMES, size ?? DEFAULT_SIZE), look };
}

async function orbitFor(box: FieldBox, options: ShotOptions): Promise<Orbit> {
  const up = options.up ?? 'z';
  if (up !== 'y' && up !== 'z') throw new DafError('ERR_DAF_BAD_OPTION', `up ${up}: expected y or z`);
  const orbit =
    options.around === undefined
      ? orbitOfBox(box, up)
      : orbitOfCameras((await openScene(options.around, { split: 'train' })).frames.map((frame) => frame.camera));
  const zoom = parseNumber('zoom', options.zoom ?? '1', 0.01, 100);
  return {
    ...orbit,
    distance: orbit.distance / zoom,
    elevation: options.elevation === undefined ? orbit.elevation : parseNumber('elevation', options.elevation, -90, 90),
  };
}

/** An animation has one size. @throws DafError ERR_DAF_BAD_DATA */
export function checkOneSize(cameras: readonly FieldCamera[]): PictureSize {
  const { width, height } = cameras[0]!;
  if (cameras.some((camera) => camera.width !== width || camera.height !== height)) {
    throw new DafError('ERR_DAF_BAD_DATA', 'the poses are for pictures of different sizes', { hint: 'give one size for all' });
  }
  return { width, height };
}

/** @throws DafError ERR_DAF_BAD_OPTION */
export function parseSize(text: string): PictureSize {
  const match = /^(\d+)(?:[x×](\d+))?$/.exec(text);
  const width = Number(match?.[1]);
  const height = Number(match?.[2] ?? match?.[1]);
  const fine = (side: number): boolean => side >= 1 && side <= 16384;
  if (!fine(width) || !fine(height)) {
    throw new DafError('ERR_DAF_BAD_OPTION', `size ${text}: expected one side or WIDTHxHEIGHT, each 1–16384 pixels`);
  }
  return { width, height };
}

/** @throws DafError ERR_DAF_BAD_OPTION */
export function parseBackground(text: string): Vector3 | 'learned' | null {
  if (text === 'none') return null;
  if (text === 'learned') return text;
  if (text === 'white') return [1, 1, 1];
  if (text === 'black') return [0, 0, 0];
  const parts = text.split(',').map(Number);
  if (parts.length !== 3 || !parts.every((value) => value >= 0 && value <= 1)) {
    throw new DafError(
      'ERR_DAF_BAD_OPTION',
      `background ${text}: expected none, learned, white, black, or three numbers 0–1 as r,g,b`,
    );
  }
  return parts as unknown as Vector3;
}

function parseNumber(name: string, text: string, low: number, high: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= low && value <= high)) throw new DafError('ERR_DAF_BAD_OPTION', `${name} ${text}: expected ${low} to ${high}`);
  return value;
}

function evenly<T>(items: readonly T[], count: number): T[] {
  const taken = Math.min(count, items.length);
  return Array.from({ length: taken }, (_, i) => items[Math.floor((i * items.length) / taken)]!);
}
