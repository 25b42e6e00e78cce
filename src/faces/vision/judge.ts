import type { Landmarker } from '../models/landmarker.js';
import type { DetectedFace, Pixels } from '../types.js';
import { agreement, firstBox, frameOf, nextBox, unmirrored } from './look.js';
import { rollOf } from './warp.js';

/** The most candidates of one look that are judged, the surest first. */
const MOST = 48;
/** Confidence from which a face is believed: of those tried the least that lets no more than one false face pass in five rendered scenes. */
const BELIEVED = 0.8;
/** Distance between points and those of the mirror image, in face sizes, at which belief has fallen to 1/e. */
const UNSTEADY = 0.12;

/**
 * Candidates that the landmarker takes for faces too, framed by the points it finds: what a detector saw a part of becomes a whole
 * face, and what only resembles one is left out.
 */
export async function judged(
  pixels: Pixels,
  candidates: readonly DetectedFace[],
  landmarker: Landmarker,
): Promise<DetectedFace[]> {
  const surest = [...candidates].sort((a, b) => b.confidence - a.confidence).slice(0, MOST);
  const faces: DetectedFace[] = [];
  for (const candidate of surest) {
    const face = await judge(pixels, candidate, landmarker);
    if (face !== null && face.confidence >= BELIEVED) faces.push(face);
  }
  return faces;
}

/** Confidence: the mean of what the detector and two looks say, one of them in a mirror, times how well the two agree. */
async function judge(pixels: Pixels, candidate: DetectedFace, landmarker: Landmarker): Promise<DetectedFace | null> {
  const { margin } = landmarker;
  const first = await landmarker.locate(pixels, firstBox(candidate, margin));
  const box = nextBox(first.points, margin);
  if (box === null) return null;
  const look = await landmarker.locate(pixels, box);
  const mirror = await landmarker.locate(pixels, { ...box, width: -box.width });
  const mirrored = unmirrored(mirror.points);
  const points = look.points.map((value, i) => (value + mirrored[i]!) / 2);
  const said = Math.cbrt(candidate.confidence * (look.face ?? 0) * (mirror.face ?? 0));
  const confidence = said * agreement(look.points, mirrored, box, margin, UNSTEADY);
  return { box: frameOf(points), confidence, roll: rollOf(points) };
}
