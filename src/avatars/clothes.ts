import type { CameraValues } from '../core/addon/index.js';
import { faceHeight } from './camera.js';
import type { OpenPhoto } from './photo.js';

type Photo = Pick<OpenPhoto, 'rgb' | 'matte' | 'width' | 'height'>;

/** Heights are in faces, chin to eyes, above the chin. Further down than this are collars, whatever the colours say. */
const COLLAR = -0.27;
/** Where a face is skin for certain: from the chin to below the eyes. */
export const FACE: readonly [number, number] = [0.1, 0.75];
/** How far skin may be from the face's mean, in its own spread and at least these: log ratios of the channels, log brightness. */
const SPREAD = { tint: 0.07, light: 0.3 };
const FAR = 3;
/** A garment's edge is mixed with skin: this share of the longer side beside it goes too. */
const EDGE = 1 / 150;

/**
 * The matte without what a person wears: below the chin, everything of another colour than the face that hangs together with what is
 * below the neck. A mark or writing on the neck is surrounded by skin, so it stays.
 * @param chin a point of head space, cm.
 * @returns [height][width], 255 is head.
 */
export function withoutClothes(photo: Photo, camera: CameraValues, chin: readonly number[]): Uint8Array {
  const { rgb, matte, width, height } = photo;
  const heightOf = faceHeight(camera, chin);
  const heights = Float32Array.from(matte, (_, i) => heightOf(i % width, Math.floor(i / width)));
  const isSkin = skinOf(rgb, (i) => matte[i]! >= 128 && heights[i]! > FACE[0] && heights[i]! < FACE[1]);
  const clothes = new Uint8Array(matte.length);
  const queue: number[] = [];
  const visit = (i: number): void => {
    if (clothes[i] !== 0 || !(heights[i]! < 0) || (heights[i]! >= COLLAR && isSkin(i))) return;
    clothes[i] = 1;
    queue.push(i);
  };
  for (let i = 0; i < matte.length; i++) if (heights[i]! < COLLAR) visit(i);
  for (let i = queue.pop(); i !== undefined; i = queue.pop()) {
    const x = i % width;
    if (x > 0) visit(i - 1);
    if (x < width - 1) visit(i + 1);
    if (i >= width) visit(i - width);
    if (i < matte.length - width) visit(i + width);
  }
  const edge = Math.max(1, Math.round(EDGE * Math.max(width, height)));
  const near = nearAny(clothes, width, height, edge);
  return matte.map((value, i) => (near[i] === 1 ? 0 : value));
}

/** Whether a pixel has the colour of the pixels that `sure` picks; everything is skin where it picks too few to tell. */
export function skinOf(rgb: Uint8Array, sure: (i: number) => boolean): (i: number) => boolean {
  const features = (i: number): readonly [number, number, number] => {
    const [r, g, b] = [rgb[3 * i]! + 8, rgb[3 * i + 1]! + 8, rgb[3 * i + 2]! + 8];
    return [Math.log(r / g), Math.log(g / b), Math.log(r + g + b)];
  };
  const seen: [number[], number[], number[]] = [[], [], []];
  for (let i = 0; 3 * i < rgb.length; i += 3) {
    if (!sure(i)) continue;
    for (const [k, value] of features(i).entries()) seen[k]!.push(value);
  }
  if (seen[0].length < 50) return () => true;
  // Middle and quartiles, not mean and deviation: lips, brows and nostrils are in it too.
  const spread = seen.map((values, k) => {
    values.sort((a, b) => a - b);
    const at = (share: number): number => values[Math.floor(share * (values.length - 1))]!;
    return { middle: at(0.5), width: Math.max(k < 2 ? SPREAD.tint : SPREAD.light, (at(0.75) - at(0.25)) / 1.35) };
  });
  return (i) => {
    let square = 0;
    for (const [k, value] of features(i).entries()) square += ((value - spread[k]!.middle) / spread[k]!.width) ** 2;
    return square < FAR * FAR;
  };
}

/** 1 within `radius` pixels of a 1, along rows and then along columns. */
export function nearAny(mask: Uint8Array, width: number, height: number, radius: number): Uint8Array {
  const spread = (from: Uint8Array, lines: number, length: number, line: number, step: number): Uint8Array => {
    const to = new Uint8Array(from.length);
    for (let l = 0; l < lines; l++) {
      for (let i = 0; i < length; i++) {
        if (from[l * line + i * step] === 0) continue;
        const end = Math.min(length - 1, i + radius);
        for (let k = Math.max(0, i - radius); k <= end; k++) to[l * line + k * step] = 1;
      }
    }
    return to;
  };
  return spread(spread(mask, height, width, width, 1), width, height, 1, width);
}
