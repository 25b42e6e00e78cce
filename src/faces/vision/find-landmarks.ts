import type { Landmarker } from '../models/landmarker.js';
import type { DetectedFace, FaceLandmarks, Pixels } from '../types.js';
import { agreement, firstBox, nextBox, unmirrored } from './look.js';
import type { TurnedBox } from './warp.js';

/** Looks at the face again, centred and upright, this many times. */
const REFINEMENTS = 2;
/** Distance between a look and its mirror image, in face sizes, at which confidence has fallen to 1/e. */
const UNSTEADY = 0.06;
/** Where a landmarker that judges begins, relative to the detector's box: one beginning may lead it astray, hardly all. */
const BEGINNINGS = [1, 0.8, 1.25] as const;
/** How large its last looks are, relative to the box around the points: their errors differ, and their mean has less. */
const LAST_LOOKS = [0.92, 1.08] as const;

interface Found {
  readonly points: Float32Array;
  /** How well a look and its mirror image agree, 0…1. */
  readonly agreed: number;
  /** By how much these points are to be preferred to others, 0…1: as well as what the landmarker says of there being a face. */
  readonly sure: number;
  /** That the last look was at; null where points collapsed: there is no face here. */
  readonly box: TurnedBox | null;
}

/**
 * 68 points of a face. The first look goes by the detector's box; each further one by the points found, turned so that the face
 * stands; the last is joined by one in the mirror, and both are averaged. A landmarker that says whether it sees a face begins from
 * boxes of several sizes, and the surest end is looked at in several more. Confidence is the detector's times how well a look and its mirror image agree.
 */
export async function findLandmarks(pixels: Pixels, face: DetectedFace, landmarker: Landmarker): Promise<FaceLandmarks> {
  const first = firstBox(face, landmarker.margin);
  let best = await follow(pixels, first, landmarker);
  if (landmarker.judges) {
    for (const size of BEGINNINGS.slice(1)) {
      const other = await follow(pixels, resized(first, size), landmarker);
      if (other.sure > best.sure) best = other;
    }
    if (best.box !== null) best = { ...best, points: await averaged(pixels, best.points, best.box, landmarker) };
  }
  return { points: best.points, confidence: face.confidence * best.agreed, source: 'model' };
}

/** From one first box. */
async function follow(pixels: Pixels, first: TurnedBox, landmarker: Landmarker): Promise<Found> {
  let box = first;
  let { points, face } = await landmarker.locate(pixels, box);
  for (let i = 0; i < REFINEMENTS; ++i) {
    const next = nextBox(points, landmarker.margin);
    if (next === null) return { points, agreed: 0, sure: 0, box: null };
    box = next;
    ({ points, face } = await landmarker.locate(pixels, box));
  }
  const mirror = await landmarker.locate(pixels, { ...box, width: -box.width });
  const mirrored = unmirrored(mirror.points);
  const agreed = agreement(points, mirrored, box, landmarker.margin, UNSTEADY);
  const said = face === null || mirror.face === null ? 1 : Math.sqrt(face * mirror.face);
  return { points: mean([points, mirrored]), agreed, sure: agreed * said, box };
}

/** The mean of the points, which stand for a look and its mirror image, and of such looks in other sizes. */
async function averaged(pixels: Pixels, points: Float32Array, box: TurnedBox, landmarker: Landmarker): Promise<Float32Array> {
  const all = [points, points];
  for (const size of LAST_LOOKS) {
    const look = resized(box, size);
    all.push((await landmarker.locate(pixels, look)).points);
    all.push(unmirrored((await landmarker.locate(pixels, { ...look, width: -look.width })).points));
  }
  return mean(all);
}

function resized(box: TurnedBox, size: number): TurnedBox {
  return { ...box, width: size * box.width, height: size * box.height };
}

function mean(all: readonly Float32Array[]): Float32Array {
  return all[0]!.map((_, i) => all.reduce((sum, points) => sum + points[i]!, 0) / all.length);
}
