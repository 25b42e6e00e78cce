import { DafError } from '../../core/contracts/errors.js';
import { checkKeys, parseWhole } from '../../core/options/index.js';
import { openScene } from '../scenes/open.js';
import type { FieldBox, FieldCamera } from '../types.js';
import { checkLearned, LOOK_KEYS, type LookText, type Naming, parseBackground, parseLook } from './look-text.js';
import { type Orbit, orbitOfBox, orbitOfCameras, orbitPath, type PictureSize, spiralPath } from './orbit.js';
import { posesFromFile } from './poses.js';
import type { RenderLook } from './types.js';

/** What to render of a field, as the command line and the parameters of a job say it: all text. */
export interface ShotOptions extends LookText {
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
}

export interface Shot {
  readonly cameras: readonly FieldCamera[];
  readonly look: RenderLook;
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
  ...LOOK_KEYS,
];
const DEFAULT_SIZE: PictureSize = { width: 512, height: 512 };
const DEFAULT_FRAMES = 60;

export interface ShotContext {
  /** What errors call an option. @defaultValue its own name */
  readonly named?: Naming;
  /** Cancels the opening of the scene that `around` names. */
  readonly signal?: AbortSignal;
}

/**
 * @param field that is to be shown: its box, and whether it has a background of its own
 * @throws DafError ERR_DAF_BAD_OPTION; what openScene and posesFromFile throw
 */
export async function planShot(
  field: { readonly box: FieldBox; readonly learnedBackground: boolean },
  options: ShotOptions,
  { named = (option) => option, signal }: ShotContext = {},
): Promise<Shot> {
  checkKeys('a shot', options, KEYS);
  const background = parseBackground(options.background ?? 'none', named('background'));
  checkLearned(background, field, named('background'));
  const look = { background, ...parseLook(options, named) };
  const size = options.size === undefined ? null : parseSize(options.size, named('size'));
  const frames = options.frames === undefined ? null : parseWhole(named('frames'), options.frames, 1, 100_000);
  const path = options.path ?? 'orbit';
  if (path !== 'orbit' && path !== 'spiral') {
    const cameras = posesFromFile(path, size);
    return { cameras: frames === null ? cameras : evenly(cameras, frames), look };
  }
  const orbit = await orbitFor(field.box, options, named, signal);
  const along = path === 'orbit' ? orbitPath : spiralPath;
  return { cameras: along(orbit, frames ?? DEFAULT_FRAMES, size ?? DEFAULT_SIZE), look };
}

async function orbitFor(box: FieldBox, options: ShotOptions, named: Naming, signal?: AbortSignal): Promise<Orbit> {
  const up = options.up ?? 'z';
  if (up !== 'y' && up !== 'z') throw new DafError('ERR_DAF_BAD_OPTION', `${named('up')} ${up}: expected y or z`);
  const zoom = parseNumber(named('zoom'), options.zoom ?? '1', 0.01, 100);
  const elevation = options.elevation === undefined ? undefined : parseNumber(named('elevation'), options.elevation, -90, 90);
  const orbit = options.around === undefined ? orbitOfBox(box, up) : await orbitOfScene(options.around, signal);
  return { ...orbit, distance: orbit.distance / zoom, elevation: elevation ?? orbit.elevation };
}

async function orbitOfScene(path: string, signal: AbortSignal | undefined): Promise<Orbit> {
  const scene = await openScene(path, { split: 'train', ...(signal === undefined ? {} : { signal }) });
  return orbitOfCameras(scene.frames.map((frame) => frame.camera));
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
export function parseSize(text: string, name = 'size'): PictureSize {
  const match = /^(\d+)(?:[x×](\d+))?$/.exec(text);
  const width = Number(match?.[1]);
  const height = Number(match?.[2] ?? match?.[1]);
  const fine = (side: number): boolean => side >= 1 && side <= 16384;
  if (!fine(width) || !fine(height)) {
    throw new DafError('ERR_DAF_BAD_OPTION', `${name} ${text}: expected one side or WIDTHxHEIGHT, each 1–16384 pixels`);
  }
  return { width, height };
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
