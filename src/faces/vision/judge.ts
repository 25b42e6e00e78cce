import type { Landmarker } from '../models/landmarker.js';
import type { DetectedFace, Pixels } from '../types.js';
import { firstBox, frameOf, nextBox } from './look.js';
import { rollOf } from './warp.js';

/** The most candidates of one look that are judged, the surest first. */
const MOST = 48;
/** Chance from which a face is believed. */
const BELIEVED = 0.5;

/**
 * Candidates that the landmarker takes for faces too, framed by the points it finds: what a detector saw a part of becomes a whole
 * face, and what only resembles one is left out.
 */
export async function judged(
  pixels: Pixels,
  candidates: readonly DetectedFace[],
  landmarker: Landmarker,
): Promise<DetectedFace[]> {
  const faces: DetectedFace[] = [];
  const surest = [...candidates].sort((a, b) => b.confidence - a.confidence).slice(0, MOST);
  for (const candidate of surest) {
    const first = await landmarker.locate(pixels, firstBox(candidate, landmarker.margin));
    const next = nextBox(first.points, landmarker.margin);
    if (next === null) continue;
    const { points, face } = await landmarker.locate(pixels, next);
    if (face === null || face < BELIEVED) continue;
    faces.push({ box: frameOf(points), confidence: Math.sqrt(candidate.confidence * face), roll: rollOf(points) });
  }
  return faces;
}
