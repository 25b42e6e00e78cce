import type { CameraValues } from '../core/addon/index.js';
import { loadSharp } from '../core/sharp.js';
import type { TrainingView } from '../fields/types.js';
import { faceHeight } from './camera.js';
import type { FieldPhoto } from './neutral_photo.js';
import { drawSurface, type Surface } from './surface.js';
import { SURFACE_MARGIN } from './volume.js';

/** Light changes slowly over a face: what changes within this share of the picture is the person. */
const LIGHT_SHARE = 1 / 14;
const LEAST_GAIN = 0.4;
const MOST_GAIN = 2.5;

/**
 * A photo as the field learns from it. Inside the head: the photo's colours in the texture's light, because a field would otherwise
 * show each photo's own light to whoever looks from there; where the matte says that something else covers the head, the texture.
 * Outside the head: hair and beard that the matte shows within the field's margin of the head, down to the chin: below
 * it a matte is mostly clothes, and farther out one photo's word is not enough. The head's depth goes with it, so that training looks
 * for what the photo shows where the head is.
 * @param photo without expression, of the size that the field learns from. @param camera of that size. @param chin a point of head space, cm.
 */
export function fieldPhoto(
  photo: FieldPhoto,
  camera: CameraValues,
  surface: Surface,
  chin: readonly number[],
  control: Int32Array | null,
): TrainingView {
  const { width, height, matte } = photo;
  const rgb = photo.rgb.slice();
  const { rgba: mesh, depth } = drawSurface(surface, camera, 'texture', control);
  const gain = lightGain(photo, mesh);
  const heightOf = faceHeight(camera, chin);
  const near = Math.max(1, Math.round((SURFACE_MARGIN * camera.focal) / -camera.translation[2]!));
  const around = blur(width, height, near, (i) => (mesh[4 * i + 3]! >= 128 ? 1 : 0));
  const alpha = new Uint8Array(width * height);
  for (let i = 0; i < width * height; i++) {
    const inside = mesh[4 * i + 3]! >= 128;
    const shown = matte[i]! >= 128;
    if (inside && !shown) {
      for (let c = 0; c < 3; c++) rgb[3 * i + c] = mesh[4 * i + c]!;
    } else {
      for (let c = 0; c < 3; c++) rgb[3 * i + c] = Math.min(255, Math.round(rgb[3 * i + c]! * gain[3 * i + c]!));
    }
    const hair = shown && around[i]! > 0 && heightOf(i % width, Math.floor(i / width)) > 0;
    alpha[i] = inside ? 255 : hair ? matte[i]! : 0;
  }
  return { source: 'photo', camera, rgb, alpha, depth };
}

/** The photo with its longer side brought to `side` pixels; a smaller one stays as it is. */
export async function shrinkPhoto(photo: FieldPhoto, side: number): Promise<FieldPhoto> {
  const sharp = await loadSharp();
  const scale = Math.min(1, side / Math.max(photo.width, photo.height));
  const width = Math.max(1, Math.round(photo.width * scale));
  const height = Math.max(1, Math.round(photo.height * scale));
  const resize = async (data: Uint8Array, channels: 1 | 3): Promise<Uint8Array> => {
    const raw = { width: photo.width, height: photo.height, channels };
    const image = sharp(data, { raw }).resize(width, height, { fit: 'fill' });
    return (channels === 1 ? image.toColourspace('b-w') : image).raw().toBuffer();
  };
  return { width, height, rgb: await resize(photo.rgb, 3), matte: await resize(photo.matte, 1) };
}

/** [height][width][3]: what brings the photo's slowly changing colours to those of the drawn head. */
function lightGain({ rgb, matte, width, height }: FieldPhoto, mesh: Uint8Array): Float32Array {
  const radius = Math.max(2, Math.round(LIGHT_SHARE * Math.max(width, height)));
  const both = (i: number): boolean => mesh[4 * i + 3]! >= 128 && matte[i]! >= 128;
  const gain = new Float32Array(3 * width * height);
  for (let c = 0; c < 3; c++) {
    const wanted = blur(width, height, radius, (i) => (both(i) ? mesh[4 * i + c]! : 0));
    const given = blur(width, height, radius, (i) => (both(i) ? rgb[3 * i + c]! : 0));
    // Black and nothing at all keep what they have.
    for (let i = 0; i < width * height; i++) {
      const ratio = (wanted[i]! + 1) / (given[i]! + 1);
      gain[3 * i + c] = Math.min(MOST_GAIN, Math.max(LEAST_GAIN, ratio));
    }
  }
  return gain;
}

/** Means over squares of 2·radius + 1 pixels, by a table of sums. */
function blur(width: number, height: number, radius: number, value: (i: number) => number): Float32Array {
  const stride = width + 1;
  const sums = new Float64Array(stride * (height + 1));
  for (let y = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++) {
      row += value(y * width + x);
      sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1]! + row;
    }
  }
  const out = new Float32Array(width * height);
  const area = (2 * radius + 1) ** 2;
  for (let y = 0; y < height; y++) {
    const [top, bottom] = [Math.max(0, y - radius), Math.min(height, y + radius + 1)];
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.max(0, x - radius), Math.min(width, x + radius + 1)];
      const sum =
        sums[bottom * stride + right]! - sums[top * stride + right]! - sums[bottom * stride + left]! + sums[top * stride + left]!;
      out[y * width + x] = sum / area;
    }
  }
  return out;
}
