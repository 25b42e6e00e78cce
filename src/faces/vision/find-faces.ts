import type { CanvasFace, Detector } from '../models/detector.js';
import type { Landmarker } from '../models/landmarker.js';
import type { Box, DetectedFace, Pixels } from '../types.js';
import { resizePixels } from './decode.js';
import { judged } from './judge.js';
import { type Orientation, storedBox, upright } from './orient.js';

/** Small pictures are enlarged by at most this much for the detector. */
const MAX_ENLARGE = 4;
/** Boxes that share more than this of their union are one face. */
const SAME_FACE = 0.3;
/** Share of a canvas by which neighbouring tiles overlap; a face up to this size is whole in one of them. */
const OVERLAP = 0.25;
const MAX_TILES = 12;

interface Finders {
  readonly detector: Detector;
  /** Judges what the detector found, where it can. */
  readonly landmarker: Landmarker | null;
}

/**
 * All faces of a picture, most confident first. The whole picture is looked at as large as the detector's canvas and half as large,
 * because a detector misses faces that fill its canvas; and a quarter as large where a landmarker judges what is found, as then more
 * looks bring no more mistakes. Where this finds none, tiles of the enlarged picture (tiny faces) and then the picture lying on each
 * side and on its head are tried.
 */
export async function findFaces(
  pixels: Pixels,
  detector: Detector,
  landmarker: Landmarker | null = null,
): Promise<DetectedFace[]> {
  const finders = { detector, landmarker };
  const whole = Math.min(detector.canvasWidth / pixels.width, detector.canvasHeight / pixels.height, MAX_ENLARGE);
  const level = await scaled(pixels, whole);
  const faces = await lookAt(level, whole, finders);
  for (const part of landmarker?.judges ? [2, 4] : [2]) {
    faces.push(...(await lookAt(await scaled(pixels, whole / part), whole / part, finders)));
  }
  if (faces.length === 0 && 2 * whole <= MAX_ENLARGE) faces.push(...(await lookAtTiles(pixels, 2 * whole, finders)));
  for (const turn of TURNS) {
    if (faces.length === 0) faces.push(...(await lookAtTurned(level, whole, turn, finders)));
  }
  return mergeFaces(faces);
}

/** Orientations that make a lying face stand, and where its up direction pointed before. */
const TURNS: readonly { readonly orientation: Orientation; readonly roll: number }[] = [
  { orientation: 8, roll: Math.PI / 2 },
  { orientation: 6, roll: -Math.PI / 2 },
  { orientation: 3, roll: Math.PI },
];

async function scaled(pixels: Pixels, scale: number): Promise<Pixels> {
  return resizePixels(pixels, Math.max(1, Math.round(pixels.width * scale)), Math.max(1, Math.round(pixels.height * scale)));
}

async function lookAt(level: Pixels, scale: number, { detector, landmarker }: Finders): Promise<DetectedFace[]> {
  const found = await detector.detect(canvasOf(level, 0, 0, detector));
  return believed(
    level,
    found.map((face) => placed(face, 0, 0)),
    scale,
    landmarker,
  );
}

/** What of a level's candidates is taken for faces, in the picture. */
async function believed(
  level: Pixels,
  found: readonly DetectedFace[],
  scale: number,
  landmarker: Landmarker | null,
): Promise<DetectedFace[]> {
  const faces = landmarker?.judges ? await judged(level, mergeFaces(found), landmarker) : found;
  return faces.map((face) => ({ ...face, box: shrink(face.box, scale) }));
}

async function lookAtTiles(pixels: Pixels, scale: number, { detector, landmarker }: Finders): Promise<DetectedFace[]> {
  const level = await scaled(pixels, scale);
  const lefts = tileStarts(level.width, detector.canvasWidth);
  const tops = tileStarts(level.height, detector.canvasHeight);
  if (lefts.length * tops.length > MAX_TILES) return [];
  const found: DetectedFace[] = [];
  for (const top of tops) {
    for (const left of lefts) {
      const faces = await detector.detect(canvasOf(level, left, top, detector));
      found.push(...faces.map((face) => placed(face, left, top)));
    }
  }
  return believed(level, found, scale, landmarker);
}

function tileStarts(length: number, tile: number): number[] {
  const span = Math.max(0, length - tile);
  const count = 1 + Math.ceil(span / (tile * (1 - OVERLAP)));
  return Array.from({ length: count }, (_, i) => (count === 1 ? 0 : Math.round((span * i) / (count - 1))));
}

async function lookAtTurned(
  level: Pixels,
  scale: number,
  turn: (typeof TURNS)[number],
  finders: Finders,
): Promise<DetectedFace[]> {
  const turned = upright(level, turn.orientation);
  const { canvasWidth, canvasHeight } = finders.detector;
  const fit = Math.min(1, canvasWidth / turned.width, canvasHeight / turned.height);
  const faces = await lookAt(await scaled(turned, fit), fit, finders);
  return faces.map(({ box, confidence, roll }) => {
    const lying = storedBox(box, turn.orientation, level.width, level.height);
    return { box: shrink(lying, scale), confidence, roll: wrapAngle(roll + turn.roll) };
  });
}

/** The part of a level that starts at (left, top), on the smallest canvas that the detector takes. */
function canvasOf(level: Pixels, left: number, top: number, detector: Detector): Pixels {
  const columns = Math.min(detector.canvasWidth, level.width - left);
  const rows = Math.min(detector.canvasHeight, level.height - top);
  const { step } = detector;
  const width = step === null ? detector.canvasWidth : Math.ceil(columns / step) * step;
  const height = step === null ? detector.canvasHeight : Math.ceil(rows / step) * step;
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < rows; ++y) {
    const from = 3 * ((top + y) * level.width + left);
    data.set(level.data.subarray(from, from + 3 * columns), 3 * y * width);
  }
  return { width, height, channels: 3, data };
}

/** A face of a canvas that starts at (left, top), in the level's pixels. */
function placed(face: CanvasFace, left: number, top: number): DetectedFace {
  const box = { x: face.x + left, y: face.y + top, width: face.width, height: face.height };
  return { box, confidence: Math.min(1, face.score), roll: face.roll ?? 0 };
}

function shrink(box: Box, scale: number): Box {
  return { x: box.x / scale, y: box.y / scale, width: box.width / scale, height: box.height / scale };
}

export function wrapAngle(angle: number): number {
  return angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
}

/** Keeps the most confident of boxes that overlap; ties go to the leftmost, so that order never depends on the search. */
export function mergeFaces(faces: readonly DetectedFace[]): DetectedFace[] {
  const order = [...faces].sort((a, b) => b.confidence - a.confidence || a.box.x - b.box.x || a.box.y - b.box.y);
  const kept: DetectedFace[] = [];
  for (const face of order) {
    if (kept.every((other) => overlap(other.box, face.box) <= SAME_FACE)) kept.push(face);
  }
  return kept;
}

/** Intersection over union; 1 where one box holds most of the other, as a face and its nose are no two faces. */
function overlap(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  const areaA = a.width * a.height;
  const areaB = b.width * b.height;
  return both > 0.8 * Math.min(areaA, areaB) ? 1 : both / (areaA + areaB - both);
}

/** The face a portrait is of: the largest of those that are nearly as certain as the most certain one. */
export function largestFace(faces: readonly DetectedFace[]): DetectedFace | null {
  const surest = faces.reduce((best, face) => Math.max(best, face.confidence), 0);
  const area = (face: DetectedFace): number => face.box.width * face.box.height;
  return faces
    .filter((face) => face.confidence >= 0.75 * surest)
    .reduce<DetectedFace | null>((best, face) => (best === null || area(face) > area(best) ? face : best), null);
}
