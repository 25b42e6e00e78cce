import type { Box, FaceQuality, Pixels } from '../types.js';

/** Face height in photo pixels at which size counts half. */
const HALF_SIZE = 120;
/** Side to which the face is brought before sharpness is measured: blur is judged per face, not per pixel. */
const PROBE = 96;
/** Mean absolute Laplacian, of 255, at which sharpness counts half. */
const HALF_LAPLACIAN = 6;

/**
 * How much a photo tells of a face.
 * @param crop the head; face: the landmarks' box in it; scale: crop pixels per photo pixel.
 * @param confidence of the landmarks.
 */
export function scoreFace(crop: Pixels, face: Box, scale: number, confidence: number): FaceQuality {
  const pixels = Math.sqrt(face.width * face.height) / scale;
  const grey = probe(crop, face);
  const parts = {
    size: soft(pixels, HALF_SIZE),
    sharpness: soft(laplacian(grey), HALF_LAPLACIAN),
    exposure: exposure(grey),
    confidence,
  };
  // The geometric mean keeps one weak part from being outweighed; confidence counts in full, a wrong face is worth nothing.
  const total = Math.cbrt(parts.size * parts.sharpness * parts.exposure) * confidence;
  return {
    total: six(total),
    size: six(parts.size),
    sharpness: six(parts.sharpness),
    exposure: six(parts.exposure),
    confidence: six(confidence),
  };
}

/** The score of a photo whose head pose is known: frontal views count in full, profiles a third. Radians. */
export function withPose(quality: FaceQuality, yaw: number, pitch: number): FaceQuality {
  const turned = Math.min(1, Math.hypot(yaw, 1.3 * pitch) / (Math.PI / 2));
  return { ...quality, total: six(quality.total * (1 - (2 / 3) * turned)) };
}

function soft(value: number, half: number): number {
  return value / (value + half);
}

function six(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** The face's luma on a PROBE × PROBE grid, averaged over the pixels of each cell (or the nearest one). */
function probe(crop: Pixels, face: Box): Float64Array {
  const grid = new Float64Array(PROBE * PROBE);
  const edge = (start: number, length: number, i: number, limit: number): number =>
    Math.min(limit - 1, Math.max(0, Math.floor(start + (length * i) / PROBE)));
  for (let row = 0; row < PROBE; ++row) {
    const top = edge(face.y, face.height, row, crop.height);
    const bottom = Math.max(top + 1, edge(face.y, face.height, row + 1, crop.height));
    for (let column = 0; column < PROBE; ++column) {
      const left = edge(face.x, face.width, column, crop.width);
      const right = Math.max(left + 1, edge(face.x, face.width, column + 1, crop.width));
      let sum = 0;
      for (let y = top; y < bottom; ++y) {
        for (let x = left; x < right; ++x) {
          const at = 3 * (y * crop.width + x);
          sum += 0.299 * crop.data[at]! + 0.587 * crop.data[at + 1]! + 0.114 * crop.data[at + 2]!;
        }
      }
      grid[row * PROBE + column] = sum / ((bottom - top) * (right - left));
    }
  }
  return grid;
}

function laplacian(grey: Float64Array): number {
  let sum = 0;
  for (let y = 1; y < PROBE - 1; ++y) {
    for (let x = 1; x < PROBE - 1; ++x) {
      const i = y * PROBE + x;
      sum += Math.abs(4 * grey[i]! - grey[i - 1]! - grey[i + 1]! - grey[i - PROBE]! - grey[i + PROBE]!);
    }
  }
  return sum / (PROBE - 2) ** 2;
}

/** 1 for a mean between 70 and 185 with nothing clipped; falls with darkness, glare, and cells near black or white. */
function exposure(grey: Float64Array): number {
  let sum = 0;
  let clipped = 0;
  for (const value of grey) {
    sum += value;
    if (value < 8 || value > 247) clipped += 1;
  }
  const mean = sum / grey.length;
  const level = mean < 70 ? mean / 70 : mean > 185 ? Math.max(0, (255 - mean) / 70) : 1;
  return level * (1 - Math.min(1, clipped / grey.length));
}
