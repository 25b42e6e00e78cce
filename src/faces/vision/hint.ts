import { DafError } from '../../core/contracts/errors.js';
import type { Box, DetectedFace, FaceHint } from '../types.js';
import { checkLandmarks } from './sidecar.js';

/** A hint in pixels of a picture of this size. */
export function scaledHint(hint: FaceHint, width: number, height: number): FaceHint {
  if (hint.size === null) return hint;
  const [x, y] = [width / hint.size[0], height / hint.size[1]];
  const scaled = (points: readonly number[] | null) => points?.map((value, i) => value * (i % 2 === 0 ? x : y)) ?? null;
  const { box } = hint;
  return {
    size: [width, height],
    points68: scaled(hint.points68),
    points5: scaled(hint.points5),
    box: box && { x: box.x * x, y: box.y * y, width: box.width * x, height: box.height * y },
  };
}

/** @throws DafError ERR_DAF_BAD_LANDMARKS */
export function hintLandmarks(hint: FaceHint | null | undefined, width: number, height: number): Float32Array | null {
  if (hint?.points68 == null) return null;
  return checkLandmarks('the data set', Float32Array.from(scaledHint(hint, width, height).points68!), width, height);
}

/**
 * The face a hint speaks of, framed as detectors do. The five points say it better than the box, which data sets draw generously.
 * @throws DafError ERR_DAF_BAD_LANDMARKS: it lies outside the picture.
 */
export function hintFace(hint: FaceHint, width: number, height: number): DetectedFace | null {
  const { points5, box } = scaledHint(hint, width, height);
  const face = points5 === null ? box && { box, roll: 0 } : faceOfPoints(points5);
  if (face === null) return null;
  const { x, y, width: wide, height: high } = face.box;
  if (x < width && y < height && x + wide > 0 && y + high > 0) return { ...face, confidence: 1 };
  const at = [x, y, wide, high].map(Math.round).join(', ');
  throw new DafError('ERR_DAF_BAD_LANDMARKS', `the data set's face (${at}) lies outside the ${width}×${height} photo`);
}

/** Side of a detector's box, relative to the way from the eyes to the mouth or between the eyes. */
const BOX_TO_POINTS = 2.4;

function faceOfPoints(p: readonly number[]): { box: Box; roll: number } {
  const across = [p[2]! - p[0]!, p[3]! - p[1]!] as const;
  const eyes = [(p[0]! + p[2]!) / 2, (p[1]! + p[3]!) / 2] as const;
  const mouth = [(p[6]! + p[8]!) / 2, (p[7]! + p[9]!) / 2] as const;
  const side = BOX_TO_POINTS * Math.max(Math.hypot(...across), Math.hypot(mouth[0] - eyes[0], mouth[1] - eyes[1]));
  const center = [(eyes[0] + mouth[0]) / 2, (eyes[1] + mouth[1]) / 2] as const;
  const box = { x: center[0] - side / 2, y: center[1] - side / 2, width: side, height: side };
  return { box, roll: Math.atan2(across[1], across[0]) };
}

/** The face found that the hint means: the one nearest to it, if its middle lies in the hint's box; else the hint itself. */
export function meantFace(faces: readonly DetectedFace[], hinted: DetectedFace): DetectedFace {
  const middle = ({ box }: DetectedFace) => [box.x + box.width / 2, box.y + box.height / 2] as const;
  const [hx, hy] = middle(hinted);
  let best = hinted;
  let nearest = Number.POSITIVE_INFINITY;
  for (const face of faces) {
    const [x, y] = middle(face);
    const inside = Math.abs(x - hx) <= hinted.box.width / 2 && Math.abs(y - hy) <= hinted.box.height / 2;
    const distance = Math.hypot(x - hx, y - hy);
    if (inside && distance < nearest) [best, nearest] = [face, distance];
  }
  return best;
}
