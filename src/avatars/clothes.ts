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
  const heights = new Float32Array(matte.length);
  for (let y = 0, i = 0; y < height; y++) for (let x = 0; x < width; x++, i++) heights[i] = heightOf(x, y);
  const isSkin = skinOf(rgb, (i) => matte[i]! >= 128 && heights[i]! > FACE[0] && heights[i]! < FACE[1]);
  const clothes = new Uint8Array(matte.length);
  // A pixel is put on it once.
  const stack = new Int32Array(matte.length);
  let waiting = 0;
  const visit = (i: number): void => {
    if (clothes[i] !== 0 || !(heights[i]! < 0) || (heights[i]! >= COLLAR && isSkin(i))) return;
    clothes[i] = 1;
    stack[waiting++] = i;
  };
  for (let i = 0; i < matte.length; i++) if (heights[i]! < COLLAR) visit(i);
  while (waiting > 0) {
    const i = stack[--waiting]!;
    const x = i % width;
    if (x > 0) visit(i - 1);
    if (x < width - 1) visit(i + 1);
    if (i >= width) visit(i - width);
    if (i < matte.length - width) visit(i + width);
  }
  const edge = Math.max(1, Math.round(EDGE * Math.max(width, height)));
  const near = nearAny(clothes, width, height, edge);
  const kept = matte.slice();
  for (let i = 0; i < kept.length; i++) if (near[i] === 1) kept[i] = 0;
  return kept;
}

/** One pixel of so many tells how skin looks. */
const SAMPLED = 3;

/** Whether a pixel has the colour of the pixels that `sure` picks; everything is skin where it picks too few to tell. */
export function skinOf(rgb: Uint8Array, sure: (i: number) => boolean): (i: number) => boolean {
  const seen = [0, 1, 2].map(() => new Float64Array(Math.ceil(rgb.length / 3 / SAMPLED)));
  let count = 0;
  for (let i = 0; 3 * i < rgb.length; i += SAMPLED) {
    if (!sure(i)) continue;
    const [r, g, b] = [rgb[3 * i]! + 8, rgb[3 * i + 1]! + 8, rgb[3 * i + 2]! + 8];
    seen[0]![count] = Math.log(r / g);
    seen[1]![count] = Math.log(g / b);
    seen[2]![count] = Math.log(r + g + b);
    count += 1;
  }
  if (count < 50) return () => true;
  // Middle and quartiles, not mean and deviation: lips, brows and nostrils are in it too.
  const [red, blue, light] = seen.map((all, k) => {
    const values = all.subarray(0, count).sort();
    const at = (share: number): number => values[Math.floor(share * (count - 1))]!;
    return { middle: at(0.5), width: Math.max(k < 2 ? SPREAD.tint : SPREAD.light, (at(0.75) - at(0.25)) / 1.35) };
  }) as [Spread, Spread, Spread];
  return (i) => {
    const [r, g, b] = [rgb[3 * i]! + 8, rgb[3 * i + 1]! + 8, rgb[3 * i + 2]! + 8];
    const square =
      ((Math.log(r / g) - red.middle) / red.width) ** 2 +
      ((Math.log(g / b) - blue.middle) / blue.width) ** 2 +
      ((Math.log(r + g + b) - light.middle) / light.width) ** 2;
    return square < FAR * FAR;
  };
}

interface Spread {
  readonly middle: number;
  readonly width: number;
}

/** 1 within `radius` pixels of a 1, along rows and then along columns. */
export function nearAny(mask: Uint8Array, width: number, height: number, radius: number): Uint8Array {
  const rows = new Uint8Array(mask.length);
  const near = new Uint8Array(mask.length);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let [to, end] = [0, 0];
    for (let x = 0; x < width; x++) {
      if (mask[row + x] === 0) continue;
      end = Math.min(width, x + radius + 1);
      for (to = Math.max(to, x - radius); to < end; to++) rows[row + to] = 1;
    }
  }
  // Row by row: what lies in one reaches the rows around it.
  const reach = new Int32Array(width).fill(-1);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    for (let x = 0; x < width; x++) {
      if (rows[row + x] === 0) continue;
      const end = Math.min(height - 1, y + radius);
      for (let k = Math.max(reach[x]! + 1, y - radius, 0); k <= end; k++) near[k * width + x] = 1;
      reach[x] = end;
    }
  }
  return near;
}
