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
  const seen: { readonly pixel: number; readonly height: number }[] = [];
  const face = new Uint8Array(matte.length);
  for (let y = 0; y < height; y += STEP) {
    for (let x = 0; x < width; x += STEP) {
      const pixel = y * width + x;
      if (matte[pixel]! < 200) continue;
      const at = heightOf(x, y);
      if (at > FOREHEAD) seen.push({ pixel, height: at });
      else if (at > FACE[0] && at < FACE[1]) face[pixel] = 1;
    }
  }
  seen.sort((a, b) => b.height - a.height);
  const top = seen.slice(0, Math.round(TOP * seen.length));
  if (top.length < FEW) return 0;
  const isSkin = skinOf(rgb, (pixel) => face[pixel] === 1);
  const share = top.filter(({ pixel }) => isSkin(pixel)).length / top.length;
  return Math.min(1, Math.max(0, (share - HAIRY) / (BARE - HAIRY)));
}
