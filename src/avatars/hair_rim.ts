import type { CameraValues } from '../core/addon/index.js';
import { faceHeight } from './camera.js';
import type { Color } from './hair_tone.js';
import type { OpenPhoto } from './photo.js';

type Photo = Pick<OpenPhoto, 'rgb' | 'matte' | 'width' | 'height'>;

/** Faces above the chin: over the brows, where an outline is hair or a bald scalp. */
const ABOVE_BROWS = 1.3;
/** cm inside the matte's edge: clear of mixed pixels, and not yet the forehead. */
const NEAR_EDGE: readonly [number, number] = [0.25, 1];
/** Of the matte, to be certain. */
const CERTAIN = 200;
const MOST = 4000;

/**
 * Colours along the outline of a head above its brows. A texture knows little of them, because the surface turns away there; but it is
 * where a receding head has its hair.
 * @param chin a point of head space, cm.
 * @returns at most 4,000, evenly over the outline; empty where the photo does not show it.
 */
export function rimColors({ rgb, matte, width, height }: Photo, camera: CameraValues, chin: readonly number[]): Color[] {
  const heightOf = faceHeight(camera, chin);
  const perCm = camera.focal / -camera.translation[2]!;
  const inside = insideOf(matte, width, height);
  const found: number[] = [];
  for (let i = 0; i < matte.length; i++) {
    const depth = inside[i]! / perCm;
    if (matte[i]! < CERTAIN || depth < NEAR_EDGE[0] || depth > NEAR_EDGE[1]) continue;
    if (heightOf(i % width, Math.floor(i / width)) > ABOVE_BROWS) found.push(i);
  }
  const stride = Math.max(1, Math.ceil(found.length / MOST));
  return found.filter((_, k) => k % stride === 0).map((i) => [rgb[3 * i]!, rgb[3 * i + 1]!, rgb[3 * i + 2]!]);
}

/** Pixels to the nearest one outside the matte, along rows and columns (the smaller); the picture's border is no edge. */
function insideOf(matte: Uint8Array, width: number, height: number): Float32Array {
  const out = new Float32Array(matte.length).fill(Infinity);
  const sweep = (lines: number, length: number, line: number, step: number): void => {
    for (let l = 0; l < lines; l++) {
      for (const back of [false, true]) {
        let run = Infinity;
        for (let k = 0; k < length; k++) {
          const i = l * line + (back ? length - 1 - k : k) * step;
          run = matte[i]! < 128 ? 0 : run + 1;
          out[i] = Math.min(out[i]!, run);
        }
      }
    }
  };
  sweep(height, width, width, 1);
  sweep(width, height, 1, width);
  return out;
}
