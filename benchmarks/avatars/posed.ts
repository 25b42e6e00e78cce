import sharp from 'sharp';
import { projectPoint } from '#daf/avatars/camera.js';
import { embeddedHead } from '#daf/avatars/head.js';
import { addon, type CameraValues } from '#daf/core/addon/index.js';
import type { Pixels } from '#daf/faces/types.js';
import { findFaces, largestFace } from '#daf/faces/vision/find-faces.js';
import { findLandmarks } from '#daf/faces/vision/find-landmarks.js';
import { type FrozenHead, solvePose } from '#daf/testing/likeness/pose.js';
import { type Eyes, readPhoto } from '../faces/measure-eyes.js';

/** A photo's face with room around it, SIDE × SIDE, and its 68 landmarks there. */
export interface FacePhoto {
  readonly rgb: Uint8Array;
  readonly landmarks: Float32Array;
  /** The middle of the whole photo, where its lens looked, and its longer side; in pixels of this picture. */
  readonly principal: readonly [number, number];
  readonly photoSide: number;
  /** Between the outer corners of the eyes, were the face to look ahead. */
  readonly eyeDistance: number;
}

export const SIDE = 512;
/** Head and hair are in a square of this many outer-eye distances. */
const ROOM = 4.2;

export async function landmarksIn(pixels: Pixels, eyes: Eyes): Promise<Float32Array | null> {
  const face = largestFace(await findFaces(pixels, eyes.detector, eyes.landmarker));
  return face === null ? null : (await findLandmarks(pixels, face, eyes.landmarker)).points;
}

/** Null where no face is found. */
export async function facePhoto(file: string, eyes: Eyes): Promise<FacePhoto | null> {
  const pixels = await readPhoto(file);
  const { width, height } = pixels;
  const found = await landmarksIn(pixels, eyes);
  if (found === null) return null;
  const usual = { focal: null, focalSpread: null, center: null, noise: null };
  const { eyeDistance } = addon().estimatePose(embeddedHead().handle, found, null, width, height, usual);
  const side = Math.max(16, Math.round(ROOM * eyeDistance));
  const middle = [0, 1].map((k) => {
    const values = Array.from({ length: 68 }, (_, i) => found[2 * i + k]!);
    return (Math.min(...values) + Math.max(...values)) / 2;
  });
  // A little above the landmarks' middle: there is more head above the brows than below the chin.
  const left = Math.round(middle[0]! - side / 2);
  const top = Math.round(middle[1]! - 0.55 * side);
  const border = side;
  const wide = await sharp(pixels.data, { raw: pixels })
    .extend({ top: border, bottom: border, left: border, right: border, background: '#808080' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const inside = (value: number, size: number): number => Math.min(size - side, Math.max(0, value));
  const [x, y] = [inside(left + border, wide.info.width), inside(top + border, wide.info.height)];
  const rgb = await sharp(wide.data, { raw: wide.info })
    .extract({ left: x, top: y, width: side, height: side })
    .resize(SIDE, SIDE)
    .raw()
    .toBuffer();
  const scale = SIDE / side;
  const origin = [x - border, y - border];
  return {
    rgb: new Uint8Array(rgb),
    landmarks: found.map((value, i) => (value - origin[i & 1]!) * scale),
    principal: [(width / 2 - origin[0]!) * scale, (height / 2 - origin[1]!) * scale],
    photoSide: Math.max(width, height) * scale,
    eyeDistance: eyeDistance * scale,
  };
}

/** As people photograph faces: the focal length that is expected, of a photo's longer side. */
const USUAL_FOCAL = 1.5;
/** Expected errors of found landmarks, of the outer-eye distance. */
const NOISE = 0.02;
/** The jaw's landmarks are on the outline that is seen, which no vertex is; those after it are the head's. */
const JAW = 17;

export interface Posed {
  readonly camera: CameraValues;
  readonly expression: Float32Array;
  /** [68][2] pixels. */
  readonly landmarks: Float32Array;
  /** Of the landmarks used, of the outer-eye distance. */
  readonly residual: number;
}

/** A finished avatar as a photo shows the person: its identity stays, pose, focal length and expression are found. */
export function poseLike(photo: FacePhoto, avatarLandmarks: Float32Array): Posed {
  const head = embeddedHead();
  const expressions = head.expressions.map(({ deltas }) =>
    Float32Array.from({ length: 204 }, (_, i) => deltas[3 * head.info.landmarks[Math.floor(i / 3)]! + (i % 3)]!),
  );
  const frozen: FrozenHead = { points: avatarLandmarks, expressions };
  const focal = USUAL_FOCAL * photo.photoSide;
  const first = addon().estimatePose(head.handle, photo.landmarks, null, SIDE, SIDE, {
    focal,
    focalSpread: null,
    center: photo.principal,
    noise: null,
  });
  const solved = solvePose(frozen, photo.landmarks, {
    start: first.camera,
    weights: Float32Array.from({ length: 68 }, (_, i) => (i < JAW ? 0 : 1)),
    focal,
    focalSpread: 0.35,
    noise: NOISE * photo.eyeDistance,
    expressionSpread: 0.25,
  });
  const shown = avatarLandmarks.map((value, i) =>
    expressions.reduce((sum, deltas, e) => sum + solved.expression[e]! * deltas[i]!, value),
  );
  const landmarks = Float32Array.from({ length: 136 }, (_, i) => projectPoint(solved.camera, shown, 3 * (i >> 1))?.[i & 1] ?? 0);
  return { camera: solved.camera, expression: solved.expression, landmarks, residual: solved.residual / photo.eyeDistance };
}
