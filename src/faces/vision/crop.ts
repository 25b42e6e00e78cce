import type { Box, CropTransform } from '../types.js';
import { rollOf, turnedBounds } from './warp.js';

/** Largest side of a crop. */
export const MAX_CROP = 768;
/** Side of the crop, relative to the face (the larger of the landmarks' width and 1.1 × height): hair, ears and neck fit. */
const CROP_TO_FACE = 2.4;
/** The crop's centre lies this much of a face above the landmarks' centre, as there is more head above brows than neck below the chin. */
const UP = 0.1;
/** Crop sides are multiples of this when the photo is shrunk, which keeps the scale one exact fraction for both axes. */
const STEP = 8;

export interface CropPlan {
  /** Whole pixels of the photo, inside it. */
  readonly region: Box;
  /** The region's size after scaling, before quarter turns. */
  readonly width: number;
  readonly height: number;
  readonly transform: CropTransform;
}

/**
 * Where to cut the head out of the photo. Roll is kept but for whole quarter turns: those cost no pixel, the rest belongs to the
 * pose.
 * @param points landmarks in photo pixels. @param largest side of the crop, at most {@link MAX_CROP}.
 * @returns null when the landmarks' head lies outside the photo.
 */
export function planCrop(
  points: Float32Array,
  photoWidth: number,
  photoHeight: number,
  largest: number = MAX_CROP,
): CropPlan | null {
  const roll = rollOf(points);
  const bounds = turnedBounds(points, roll);
  const face = Math.max(bounds.width, 1.1 * bounds.height);
  const half = (CROP_TO_FACE * face) / 2;
  const centerX = bounds.centerX + UP * face * Math.sin(roll);
  const centerY = bounds.centerY - UP * face * Math.cos(roll);
  const left = Math.max(0, Math.floor(centerX - half));
  const top = Math.max(0, Math.floor(centerY - half));
  const wide = Math.min(photoWidth, Math.ceil(centerX + half)) - left;
  const high = Math.min(photoHeight, Math.ceil(centerY + half)) - top;
  if (!(wide >= 16 && high >= 16)) return null;
  // `unit` photo pixels become STEP crop pixels.
  const unit = Math.max(STEP, Math.ceil((Math.max(wide, high) * STEP) / largest));
  const shrunk = unit > STEP;
  const region = {
    x: left,
    y: top,
    width: shrunk ? unit * Math.max(1, Math.floor(wide / unit)) : wide,
    height: shrunk ? unit * Math.max(1, Math.floor(high / unit)) : high,
  };
  const scale = STEP / unit;
  const quarterTurns = (((Math.round(roll / (Math.PI / 2)) % 4) + 4) % 4) as CropTransform['quarterTurns'];
  return {
    region,
    width: Math.round(region.width * scale),
    height: Math.round(region.height * scale),
    transform: {
      originX: region.x + (quarterTurns === 1 || quarterTurns === 2 ? region.width : 0),
      originY: region.y + (quarterTurns >= 2 ? region.height : 0),
      scale,
      quarterTurns,
    },
  };
}

/** [x, y] pairs in crop pixels → photo pixels. */
export function cropToPhoto(transform: CropTransform, points: ArrayLike<number>): Float32Array {
  const [c, s] = TURN[transform.quarterTurns];
  const out = new Float32Array(points.length);
  for (let i = 0; i + 1 < out.length; i += 2) {
    const x = points[i]! / transform.scale;
    const y = points[i + 1]! / transform.scale;
    out[i] = transform.originX + c * x - s * y;
    out[i + 1] = transform.originY + s * x + c * y;
  }
  return out;
}

/** [x, y] pairs in photo pixels → crop pixels. */
export function photoToCrop(transform: CropTransform, points: ArrayLike<number>): Float32Array {
  const [c, s] = TURN[transform.quarterTurns];
  const out = new Float32Array(points.length);
  for (let i = 0; i + 1 < out.length; i += 2) {
    const x = (points[i]! - transform.originX) * transform.scale;
    const y = (points[i + 1]! - transform.originY) * transform.scale;
    out[i] = c * x + s * y;
    out[i + 1] = c * y - s * x;
  }
  return out;
}

/** Cosine and sine of whole quarter turns, exact. */
const TURN = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;
