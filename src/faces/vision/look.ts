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
