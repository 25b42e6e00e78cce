import type { Landmarker } from '../models/landmarker.js';
import type { DetectedFace, FaceLandmarks, Pixels } from '../types.js';
import { firstBox, nextBox } from './look.js';

/** Looks at the face again, centred and upright, this many times. */
const REFINEMENTS = 2;
/** Distance between a look and its mirror image, in face sizes, at which confidence has fallen to 1/e. */
const UNSTEADY = 0.06;

/**
 * 68 points of a face. The first look goes by the detector's box; each further one by the points found, turned so that the face
 * stands; the last is joined by one in the mirror, and both are averaged. Confidence is the detector's times how well the two agree.
 */
export async function findLandmarks(pixels: Pixels, face: DetectedFace, landmarker: Landmarker): Promise<FaceLandmarks> {
  let box = firstBox(face, landmarker.margin);
  let { points } = await landmarker.locate(pixels, box);
  for (let i = 0; i < REFINEMENTS; ++i) {
    const next = nextBox(points, landmarker.margin);
    // Collapsed points: there is no face here.
    if (next === null) return { points, confidence: 0, source: 'model' };
    box = next;
    ({ points } = await landmarker.locate(pixels, box));
  }
  const mirrored = unmirrored((await landmarker.locate(pixels, { ...box, width: -box.width })).points);
  const apart = (landmarker.margin * meanDistance(points, mirrored)) / Math.max(box.width, box.height);
  const agreement = Math.exp(-((apart / UNSTEADY) ** 2));
  return {
    points: points.map((value, i) => (value + mirrored[i]!) / 2),
    confidence: face.confidence * agreement,
    source: 'model',
  };
}

/** For each iBUG point the one on the other side of the face. */
const MIRROR = [
  ...[16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
  ...[26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 27, 28, 29, 30, 35, 34, 33, 32, 31],
  ...[45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40],
  ...[54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65],
] as const;

/** Points found in a mirror carry the names of the other side. */
function unmirrored(points: Float32Array): Float32Array {
  return points.map((_, i) => points[2 * MIRROR[i >> 1]! + (i & 1)]!);
}

function meanDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 2) sum += Math.hypot(a[i]! - b[i]!, a[i + 1]! - b[i + 1]!);
  return (2 * sum) / a.length;
}
