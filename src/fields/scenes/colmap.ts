import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import { breathe } from '../abortable.js';
import { badData } from '../formats/bad-data.js';
import { readColmapBinary } from '../formats/colmap/binary.js';
import type { ColmapCamera } from '../formats/colmap/model.js';
import { readColmapText } from '../formats/colmap/text.js';
import { colmapLens, type Intrinsics } from './intrinsics.js';
import { poseFromQuaternion } from './pose.js';
import type { RawScene } from './raw.js';

const MODELS = ['.', 'sparse/0', 'colmap/sparse/0', 'sparse'];
/** That are looked for between two breaks. */
const PICTURES_AT_ONCE = 64;

/** The folder below `folder` that holds a COLMAP model, or null. */
export function colmapModelIn(folder: string): string | null {
  const found = MODELS.find((place) => ['bin', 'txt'].some((kind) => existsSync(join(folder, place, `cameras.${kind}`))));
  return found === undefined ? null : join(folder, found);
}

/**
 * A COLMAP model, text or binary, and the pictures in the folder `images` beside it or above it. The world stays COLMAP's.
 * @throws DafError ERR_DAF_CANCELLED: between two pieces of a file of points, or two pictures
 */
export async function readColmap(model: string, signal?: AbortSignal): Promise<RawScene> {
  const binary = existsSync(join(model, 'cameras.bin'));
  const { cameras, images, points } = await (binary ? readColmapBinary(model, signal) : readColmapText(model, signal));
  const path = join(model, binary ? 'images.bin' : 'images.txt');
  const folder = images.length === 0 ? model : imagesFolder(model, images[0]!.name);
  const intrinsics = new Map([...cameras].map(([id, camera]) => [id, colmapIntrinsics(camera, `${path}: camera ${id}`)]));
  const frames: RawScene['frames'][number][] = [];
  for (const [i, image] of images.entries()) {
    if (i % PICTURES_AT_ONCE === 0) await breathe(signal);
    const what = `${path}: ${image.name}`;
    const camera = intrinsics.get(image.cameraId);
    if (camera === undefined) throw badData(`${what}: there is no camera ${image.cameraId}`);
    const file = join(folder, image.name);
    if (!existsSync(file)) throw new DafError('ERR_DAF_NOT_FOUND', `${what}: there is no ${file}`);
    const pose = poseFromQuaternion(image.rotation, image.translation, what);
    frames.push({ name: image.name, pose, intrinsics: camera, split: null, picture: { kind: 'file', file, mask: null } });
  }
  return { format: 'colmap', path, frames, points, stated: null };
}

function colmapIntrinsics({ model, width, height, params }: ColmapCamera, what: string): Intrinsics {
  const lens = colmapLens(model, params);
  if (lens === null) throw badData(`${what}: camera model ${model} is not supported`, 'undistort the pictures with COLMAP first');
  if (![...params].every(Number.isFinite)) throw badData(`${what}: a parameter is not finite`);
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 1 || side > 16384) throw badData(`${what}: pictures of ${width}×${height} pixels`);
  }
  return { size: { width, height }, pinhole: () => lens, distortion: lens.distortion };
}

/** Where the first picture lies. */
function imagesFolder(model: string, first: string): string {
  const roots = [model, dirname(model), dirname(dirname(model)), dirname(dirname(dirname(model)))];
  const folders = roots.map((root) => join(root, 'images'));
  return folders.find((folder) => existsSync(join(folder, first))) ?? folders[basename(model) === '0' ? 2 : 0]!;
}
