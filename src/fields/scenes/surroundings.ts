import { DafError } from '../../core/contracts/errors.js';
import { abortable } from '../abortable.js';
import { badData } from '../formats/bad-data.js';
import type { FieldBox, Vector3 } from '../types.js';
import { boxFromCameras, boxFromPoints, intersection, nearDistance, sees } from './box.js';
import { boxFromMattes } from './matte-box.js';
import type { RawScene } from './raw.js';
import type { Scene, SceneFrame, SceneOptions } from './types.js';

const COLORS: Readonly<Record<string, Vector3>> = { white: [1, 1, 1], black: [0, 0, 0] };
/** Where the things of the synthetic Blender sets are; their cameras are about 4 from the origin. */
const BLENDER: FieldBox = { min: [-1.5, -1.5, -1.5], max: [1.5, 1.5, 1.5] };

/**
 * Where a scene is and what lies around it.
 * @param alpha pictures can have transparent pixels; whether they do is looked up.
 */
export async function surroundings(
  raw: RawScene,
  frames: readonly SceneFrame[],
  alpha: boolean,
  options: SceneOptions,
): Promise<Pick<Scene, 'box' | 'unbounded' | 'near' | 'hasAlpha' | 'background'>> {
  const training = frames.filter((frame) => frame.split === 'train');
  const cameras = training.map((frame) => frame.camera);
  const hasAlpha = alpha && (await anyTransparent(training, options.signal));
  const closed = hasAlpha || raw.format === 'tiny-nerf' || raw.stated?.closed === true;
  const unbounded = options.unbounded ?? !closed;
  if (options.box !== undefined && !hasVolume(options.box))
    throw new DafError('ERR_DAF_BAD_OPTION', 'box must be finite and no side empty');
  const box = options.box ?? (await sceneBox(raw, training, unbounded, hasAlpha, options.signal));
  if (!hasVolume(box))
    throw badData(`${raw.path}: no scene box follows from its cameras and points`, 'check them, or give the box');
  if (!unbounded && !cameras.some((camera) => sees(camera, box))) {
    const span = box.min.map((low, axis) => `${low.toFixed(2)}…${box.max[axis]!.toFixed(2)}`).join(' × ');
    throw badData(
      `${raw.path}: no training view sees the scene box ${span}`,
      'check the convention of the poses, or give the box',
    );
  }
  return {
    box,
    unbounded,
    near: nearDistance(raw.points, cameras),
    hasAlpha,
    background: unbounded ? null : backgroundOf(options.background ?? (hasAlpha ? 'white' : 'black')),
  };
}

async function sceneBox(
  raw: RawScene,
  training: readonly SceneFrame[],
  unbounded: boolean,
  hasAlpha: boolean,
  signal: AbortSignal | undefined,
): Promise<FieldBox> {
  if (raw.stated?.closed === true) return raw.stated.box;
  const pointed = raw.points === null ? null : boxFromPoints(raw.points);
  let seen = pointed ?? boxFromCameras(training.map((frame) => frame.camera));
  if (!unbounded && pointed === null && looksLike(BLENDER, seen)) seen = BLENDER;
  if (!unbounded && hasAlpha) seen = (await boxFromMattes(training, seen, signal)) ?? seen;
  return raw.stated === null ? seen : intersection(raw.stated.box, seen);
}

/** The same place and size, roughly: then it is the usual one. */
function looksLike(usual: FieldBox, found: FieldBox): boolean {
  const side = usual.max[0] - usual.min[0];
  const size = (found.max[0] - found.min[0]) / side;
  const shift = Math.max(
    ...found.min.map((low, axis) => Math.abs(low + found.max[axis]! - usual.min[axis]! - usual.max[axis]!) / 2),
  );
  return size > 0.75 && size < 1.25 && shift < 0.25 * side;
}

/** Of a file type with alpha, most pictures are opaque all the same: a few are looked at. */
async function anyTransparent(training: readonly SceneFrame[], signal: AbortSignal | undefined): Promise<boolean> {
  const sample = [0, 1 / 3, 2 / 3].map((share) => training[Math.floor(share * training.length)]!);
  for (const frame of new Set(sample)) {
    const { rgba } = await abortable(signal, () => frame.image());
    for (let i = 3; i < rgba.length; i += 4) if (rgba[i]! < 255) return true;
  }
  return false;
}

function backgroundOf(color: NonNullable<SceneOptions['background']>): Vector3 {
  const triple = typeof color === 'string' ? COLORS[color] : color;
  if (triple === undefined || triple.length !== 3 || !triple.every((v) => v >= 0 && v <= 1)) {
    throw new DafError('ERR_DAF_BAD_OPTION', 'background must be white, black or three numbers in [0, 1]');
  }
  return triple;
}

/** As floats, which is what a field keeps of it. */
function hasVolume({ min, max }: FieldBox): boolean {
  return [0, 1, 2].every((axis) => {
    const [low, high] = [Math.fround(min[axis]!), Math.fround(max[axis]!)];
    return Number.isFinite(low) && Number.isFinite(high) && high > low;
  });
}
