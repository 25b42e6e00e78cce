import { badData } from '../formats/bad-data.js';
import { pinholeAt } from '../scenes/intrinsics.js';
import { JsonObject } from '../scenes/json.js';
import { poseFromMatrix } from '../scenes/pose.js';
import { transformsIntrinsics } from '../scenes/transforms-camera.js';
import type { FieldCamera } from '../types.js';
import type { PictureSize } from './orbit.js';

/**
 * The cameras of a file in the form of `transforms.json`, in its order; pictures that it may name are not looked for.
 * @param size used where the file gives none, or instead of it
 * @throws DafError ERR_DAF_NOT_FOUND, ERR_DAF_BAD_DATA
 */
export function posesFromFile(path: string, size: PictureSize | null): FieldCamera[] {
  const json = JsonObject.read(path);
  const frames = json.list('frames');
  if (frames === undefined || frames.length === 0) throw badData(`${path}: has no list "frames"`);
  return frames.map((value, index) => {
    const frame = new JsonObject(value, `${path}: frame ${index}`);
    const intrinsics = transformsIntrinsics(frame, json);
    const wanted = size ?? intrinsics.size;
    if (wanted === null) throw badData(`${frame.what}: no size`, 'give w and h, or --size');
    const { distortion } = intrinsics;
    return {
      ...poseFromMatrix(frame.get('transform_matrix'), frame.what),
      ...pinholeAt(intrinsics, wanted, frame.what),
      ...wanted,
      ...(distortion === undefined ? {} : { distortion }),
    };
  });
}
