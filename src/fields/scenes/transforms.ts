import { existsSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import { badData } from '../formats/bad-data.js';
import { parsePly } from '../formats/ply.js';
import type { SparsePoints } from '../formats/points.js';
import { readWhole } from '../formats/read-file.js';
import type { FieldBox } from '../types.js';
import { JsonObject } from './json.js';
import { poseFromMatrix } from './pose.js';
import type { RawFrame, RawScene } from './raw.js';
import { transformsIntrinsics } from './transforms-camera.js';
import type { SceneSplit } from './types.js';

const EXTENSIONS = ['.png', '.jpg', '.jpeg', '.webp', '.PNG', '.JPG', '.JPEG', '.tif', '.tiff', '.bmp'];
const MAX_PLY = 256 << 20;
/** instant-ngp maps a pose's position p to p · scale + offset, so that the scene fills the unit cube. */
const NGP_SCALE = 0.33;
const NGP_OFFSET = 0.5;

/**
 * `transforms.json` of nerfstudio and instant-ngp. Poses are taken as they stand: `applied_transform` and `applied_scale` tell what was
 * already done to them.
 */
export function readTransforms(path: string): RawScene {
  const json = JsonObject.read(path);
  return {
    format: 'transforms',
    path,
    frames: transformsFrames(json, path, namedSplits(json)),
    points: sparsePoints(json, path),
    stated: ngpBox(json),
  };
}

/** The frames of one file. Keys that a frame lacks are taken from the file's top level. */
export function transformsFrames(json: JsonObject, path: string, splitOf: (name: string) => SceneSplit | null): RawFrame[] {
  const folder = dirname(path);
  const frames = json.list('frames');
  if (frames === undefined) throw badData(`${path}: has no list "frames"`);
  return frames.map((value, index) => {
    const frame = new JsonObject(value, `${path}: frame ${index}`);
    const name = frame.text('file_path');
    if (name === undefined) throw badData(`${frame.what} has no file_path`);
    const what = `${path}: ${name}`;
    const mask = frame.text('mask_path');
    return {
      name,
      pose: poseFromMatrix(frame.get('transform_matrix'), what),
      intrinsics: transformsIntrinsics(new JsonObject(value, what), json),
      split: splitOf(name),
      picture: {
        kind: 'file',
        file: pictureFile(folder, name, what),
        mask: mask === undefined ? null : pictureFile(folder, mask, what),
      },
    };
  });
}

/** A path may leave out its extension, as Blender's sets do. */
function pictureFile(folder: string, name: string, what: string): string {
  const path = resolve(folder, name.replaceAll('\\', '/'));
  const candidates =
    extname(path) === '' ? EXTENSIONS.map((extension) => path + extension) : [path, ...EXTENSIONS.map((e) => path + e)];
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found === undefined) throw new DafError('ERR_DAF_NOT_FOUND', `${what}: there is no ${candidates[0]}`);
  return found;
}

/** Splits that nerfstudio lists by file name. */
function namedSplits(json: JsonObject): (name: string) => SceneSplit | null {
  const named = new Map<unknown, SceneSplit>();
  for (const split of ['train', 'val', 'test'] as const) {
    for (const name of json.list(`${split}_filenames`) ?? []) named.set(name, split);
  }
  if (named.size === 0) return () => null;
  return (name) => {
    const split = named.get(name);
    if (split === undefined) throw badData(`${json.what}: ${name} is in none of the lists of train, val and test file names`);
    return split;
  };
}

function sparsePoints(json: JsonObject, path: string): SparsePoints | null {
  const named = json.text('ply_file_path');
  const file = join(dirname(path), named ?? 'sparse_pc.ply');
  if (named === undefined && !existsSync(file)) return null;
  return parsePly(readWhole(file, MAX_PLY), file);
}

/** The cube of instant-ngp: `aabb_scale` times the unit cube around its centre, in the poses' space. */
function ngpBox(json: JsonObject): RawScene['stated'] {
  const aabb = json.number('aabb_scale');
  if (aabb === undefined) return null;
  const scale = json.number('scale') ?? NGP_SCALE;
  if (!(aabb > 0) || !(scale > 0)) throw badData(`${json.what}: aabb_scale and scale must be above 0`);
  const listed = typeof json.get('offset') === 'number' ? undefined : json.list('offset');
  const offset = listed ?? Array(3).fill(json.number('offset') ?? NGP_OFFSET);
  if (offset.length !== 3 || !offset.every((value) => Number.isFinite(value)))
    throw badData(`${json.what}: "offset" is not three numbers`);
  const corner = (sign: number): number[] => offset.map((shift) => (0.5 + (sign * aabb) / 2 - Number(shift)) / scale);
  const box = { min: corner(-1), max: corner(1) } as unknown as FieldBox;
  return { box, closed: aabb === 1 };
}
