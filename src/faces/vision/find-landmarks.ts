import type { Landmarker } from '../models/landmarker.js';
import type { DetectedFace, FaceLandmarks, Pixels } from '../types.js';
import { agreement, firstBox, nextBox, unmirrored } from './look.js';

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
  return {
    points: points.map((value, i) => (value + mirrored[i]!) / 2),
    confidence: face.confidence * agreement(points, mirrored, box, landmarker.margin, UNSTEADY),
    source: 'model',
  };
}
