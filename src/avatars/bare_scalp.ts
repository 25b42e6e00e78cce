import type { CameraValues } from '../core/addon/index.js';
import { faceHeight } from './camera.js';
import { FACE, skinOf } from './clothes.js';
import type { OpenPhoto } from './photo.js';

type Photo = Pick<OpenPhoto, 'rgb' | 'matte' | 'width' | 'height'>;

/** Heights are in faces, chin to eyes, above the chin. From here up a head may be hair: the forehead begins. */
const FOREHEAD = 1.2;
/** The highest pixels tell, this share of those above the brows: foreheads are skin with or without hair above them. */
const TOP = 0.1;
/** Shares of skin among them: below the first there is hair, above the second there is none. */
const HAIRY = 0.3;
const BARE = 0.7;
/** One pixel of this many in both directions is looked at: shares need no more. */
const STEP = 2;
/** Pixels of a top that is too small to tell, or cut off by the picture. */
const FEW = 20;

/**
 * How bare a scalp a photo shows, 0 (hair) to 1 (skin), by the colour of the top of the head beside the face's; 0 where too little of it is seen.
 * @param chin a point of head space, cm.
 */
export function bareScalp({ rgb, matte, width, height }: Photo, camera: CameraValues, chin: readonly number[]): number {
  const heightOf = faceHeight(camera, chin);
  // Pixels that are surely head and above the brows, and how high they lie.
  const pixels: number[] = [];
  const heights: number[] = [];
  const face = new Uint8Array(matte.length);
  for (let y = 0; y < height; y += STEP) {
    for (let x = 0; x < width; x += STEP) {
      const pixel = y * width + x;
      if (matte[pixel]! < 200) continue;
      const at = heightOf(x, y);
      if (at > FOREHEAD) {
        pixels.push(pixel);
        heights.push(at);
      } else if (at > FACE[0] && at < FACE[1]) face[pixel] = 1;
    }
  }
  const count = Math.round(TOP * pixels.length);
  if (count < FEW) return 0;
  // Of those that lie as high as the last one that counts, the first.
  const sorted = Float64Array.from(heights).sort();
  const last = sorted[sorted.length - count]!;
  let level = count - heights.filter((at) => at > last).length;
  const top = pixels.filter((_, k) => heights[k]! > last || (heights[k] === last && level-- > 0));
  const isSkin = skinOf(rgb, (pixel) => face[pixel] === 1);
  const share = top.filter(isSkin).length / top.length;
  return Math.min(1, Math.max(0, (share - HAIRY) / (BARE - HAIRY)));
}
