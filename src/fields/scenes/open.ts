import { existsSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import { throwIfAborted } from '../abortable.js';
import { badData } from '../formats/bad-data.js';
import { NpzFile } from '../formats/npz.js';
import { BLENDER_TRAIN, readBlender } from './blender.js';
import { colmapModelIn, readColmap } from './colmap.js';
import { resolveFrames } from './frames.js';
import type { RawScene } from './raw.js';
import { surroundings } from './surroundings.js';
import { readTinyNerf, TINY_NERF_NAMES } from './tiny-nerf.js';
import { readTransforms } from './transforms.js';
import type { Scene, SceneOptions } from './types.js';

const OPTIONS = ['split', 'background', 'box', 'unbounded', 'signal'];
const TINY_NERF = 'tiny_nerf_data.npz';

/**
 * Opens a capture: a folder with `transforms.json` (nerfstudio, instant-ngp), `transforms_train.json` and its siblings (Blender sets), a
 * COLMAP model (text or binary, also in `sparse/0`) with `images`, or `tiny_nerf_data.npz`; or one of these files.
 *
 * Only headers of training pictures are read, and some of those pictures where they have an alpha channel; pictures of other splits stay
 * closed until their `image()` is called.
 * @throws DafError ERR_DAF_NOT_FOUND: nothing there, or a picture is missing. ERR_DAF_BAD_DATA: none of these, damaged, an unknown camera
 * model, poses that see nothing. ERR_DAF_BAD_IMAGE. ERR_DAF_BAD_OPTION. ERR_DAF_CANCELLED.
 */
export async function openScene(path: string, options: SceneOptions = {}): Promise<Scene> {
  for (const key of Object.keys(options)) {
    if (!OPTIONS.includes(key))
      throw new DafError('ERR_DAF_BAD_OPTION', `unknown option "${key}"`, { hint: `known: ${OPTIONS.join(', ')}` });
  }
  const split = options.split ?? 'all';
  if (!['train', 'val', 'test', 'all'].includes(split))
    throw new DafError('ERR_DAF_BAD_OPTION', `split must be train, val, test or all, not "${split}"`);
  throwIfAborted(options.signal);
  const raw = await recognise(path, options.signal);
  const { frames, alpha } = await resolveFrames(raw, options.signal);
  const around = await surroundings(raw, frames, alpha, options);
  return {
    format: raw.format,
    path: raw.path,
    points: raw.points,
    ...around,
    frames: split === 'all' ? frames : frames.filter((frame) => frame.split === split),
  };
}

async function recognise(path: string, signal: AbortSignal | undefined): Promise<RawScene> {
  if (!existsSync(path)) throw new DafError('ERR_DAF_NOT_FOUND', `there is no ${path}`);
  if (statSync(path).isDirectory()) return recogniseFolder(path, signal);
  const name = basename(path);
  if (/^transforms_(train|val|test)\.json$/.test(name)) return readBlender(dirname(path));
  if (extname(path) === '.json') return readTransforms(path);
  if (extname(path) === '.npz' && isTinyNerf(path)) return readTinyNerf(path);
  if (/^(cameras|images|points3D)\.(bin|txt)$/.test(name)) return readColmap(dirname(path), signal);
  throw unknown(path);
}

async function recogniseFolder(folder: string, signal: AbortSignal | undefined): Promise<RawScene> {
  if (existsSync(join(folder, BLENDER_TRAIN))) return readBlender(folder);
  if (existsSync(join(folder, 'transforms.json'))) return readTransforms(join(folder, 'transforms.json'));
  if (existsSync(join(folder, TINY_NERF))) return readTinyNerf(join(folder, TINY_NERF));
  const model = colmapModelIn(folder);
  if (model !== null) return readColmap(model, signal);
  throw unknown(folder);
}

function isTinyNerf(path: string): boolean {
  using file = new NpzFile(path);
  return TINY_NERF_NAMES.every((name) => file.has(name));
}

function unknown(path: string): DafError {
  return badData(
    `${path}: not a scene`,
    `known: transforms.json, ${BLENDER_TRAIN}, a COLMAP model (cameras, images and points3D as .bin or .txt), ${TINY_NERF}`,
  );
}
