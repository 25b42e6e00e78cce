import type { Box, DetectedFace } from '../types.js';
import { rollOf, type TurnedBox, turnedBounds } from './warp.js';

/** The box around the 68 points, relative to the detector's: detectors frame the forehead too. */
const FACE_TO_POINTS = { size: 0.9, down: 0.14 };
/** The forehead's height, relative to the way from the chin to the brows. */
const FOREHEAD = 0.3;

/** Where to look for the points of a face that a detector framed; margin: of the landmarker. */
export function firstBox(face: DetectedFace, margin: number): TurnedBox {
  const { box, roll } = face;
  const side = FACE_TO_POINTS.size * Math.sqrt(box.width * box.height);
  const down = FACE_TO_POINTS.down * side;
  return {
    centerX: box.x + box.width / 2 - down * Math.sin(roll),
    centerY: box.y + box.height / 2 + down * Math.cos(roll),
    width: margin * side,
    height: margin * side,
    angle: roll,
  };
}

/** Where to look again: around the points found, turned so that the face stands. Null where they collapsed. */
export function nextBox(points: Float32Array, margin: number): TurnedBox | null {
  const bounds = turnedBounds(points, rollOf(points));
  if (!(bounds.width > 4 && bounds.height > 4)) return null;
  return { ...bounds, width: margin * bounds.width, height: margin * bounds.height };
}

/** The box that a detector draws around a face with these points: ear to ear, hairline to chin. */
export function frameOf(points: ArrayLike<number>): Box {
  const mean = (from: number, to: number, axis: 0 | 1): number => {
    let sum = 0;
    for (let i = from; i < to; ++i) sum += points[2 * i + axis]!;
    return sum / (to - from);
  };
  const up = ([0, 1] as const).map((axis) => FOREHEAD * (mean(17, 27, axis) - mean(7, 10, axis))) as [number, number];
  const brows = Array.from({ length: 20 }, (_, i) => points[34 + i]! + up[(i & 1) as 0 | 1]);
  const { centerX, centerY, width, height } = turnedBounds([...Array.from(points), ...brows], 0);
  return { x: centerX - width / 2, y: centerY - height / 2, width, height };
}

/** For each iBUG point the one on the other side of the face. */
const MIRROR = [
  ...[16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
  ...[26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 27, 28, 29, 30, 35, 34, 33, 32, 31],
  ...[45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40],
  ...[54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65],
] as const;

/** Points found in a mirror carry the names of the other side. */
export function unmirrored(points: Float32Array): Float32Array {
  return points.map((_, i) => points[2 * MIRROR[i >> 1]! + (i & 1)]!);
}

/** How well two looks at one box agree: 1, and 1/e where points lie `unsteady` of the face's size apart. */
export function agreement(a: Float32Array, b: Float32Array, box: TurnedBox, margin: number, unsteady: number): number {
  const apart = (margin * meanDistance(a, b)) / Math.max(Math.abs(box.width), box.height);
  return Math.exp(-((apart / unsteady) ** 2));
}

function meanDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 2) sum += Math.hypot(a[i]! - b[i]!, a[i + 1]! - b[i + 1]!);
  return (2 * sum) / a.length;
}
