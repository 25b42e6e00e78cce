import { DafError } from '../../core/contracts/errors.js';
import { type Detector, openDetector } from '../models/detector.js';
import { type Landmarker, openLandmarker } from '../models/landmarker.js';
import type {
  Box,
  DetectedFace,
  FaceHint,
  FaceLandmarks,
  FaceWarning,
  PhotoSource,
  Pixels,
  PreparedFace,
  Vision,
  VisionModels,
  VisionOptions,
} from '../types.js';
import { type CropPlan, MAX_CROP, photoToCrop, planCrop } from './crop.js';
import { DEFAULT_DECODE_BYTES, decodeRegion, decodeScaled, type PhotoHeader, readHeader, resizePixels } from './decode.js';
import { findFaces, largestFace, wrapAngle } from './find-faces.js';
import { findLandmarks } from './find-landmarks.js';
import { hintFace, hintLandmarks, meantFace } from './hint.js';
import { type Orientation, upright } from './orient.js';
import { scoreFace } from './quality.js';
import { readSidecar } from './sidecar.js';
import { openPhoto } from './source.js';
import { turnedBounds } from './warp.js';

/** The whole photo is held at no more than this; only the head's crop is cut from full resolution. */
const WORKING_SIDE = 1536;
/** Landmarks less certain than this are those of no face: real ones, profiles and 40 pixels included, reach 0.54, an animal's 0.35. */
const MIN_CONFIDENCE = 0.4;
/** Landmarks of at least this share of their face's confidence are believed at once. */
const STEADY = 0.5;

const opened = new Map<string, Promise<Vision>>();

/**
 * The vision of this thread for these options: models are loaded on the first photo that needs them, and kept. The same options
 * give the same object.
 */
export function openVision(options: VisionOptions): Promise<Vision> {
  const { models, decodeBytes = DEFAULT_DECODE_BYTES, cropSide = MAX_CROP } = options;
  const key = JSON.stringify([models, decodeBytes, cropSide]);
  let vision = opened.get(key);
  if (vision === undefined) {
    vision = Promise.resolve(createVision(models, { decodeBytes, cropSide }, () => opened.delete(key)));
    opened.set(key, vision);
  }
  return vision;
}

interface Sizes {
  readonly decodeBytes: number;
  readonly cropSide: number;
}

function createVision(models: VisionModels, sizes: Sizes, forget: () => void): Vision {
  let eyes: Promise<{ detector: Detector; landmarker: Landmarker }> | undefined;
  const look: Look = async (pixels, hinted) => {
    eyes ??= openEyes(models);
    return see(pixels, await eyes, hinted);
  };
  return {
    prepare: (photo) => prepare(photo, sizes, look),
    async dispose() {
      forget();
      const open = eyes;
      eyes = undefined;
      // Models that never opened have nothing to release.
      const eyesOpened = await open?.catch(() => undefined);
      await Promise.all([eyesOpened?.detector.dispose(), eyesOpened?.landmarker.dispose()]);
    },
  };
}

async function openEyes(models: VisionModels): Promise<{ detector: Detector; landmarker: Landmarker }> {
  if (models.detector === null || models.landmarks === null) {
    throw new DafError('ERR_DAF_MODEL_MISSING', 'the photo has no side-car landmarks and no models are given to find them', {
      hint: 'daf models add yunet peppa-68, or give --models DIR, or put a .pts file beside the photo',
    });
  }
  const detector = await openDetector(models.detector);
  return { detector, landmarker: await openLandmarker(models.landmarks) };
}

/** Finds the face, the one hinted at where there is one. */
type Look = (pixels: Pixels, hinted: DetectedFace | null) => Promise<Seen>;

/** What was found on a picture, in its pixels. */
interface Seen {
  readonly landmarks: FaceLandmarks;
  readonly box: Box;
  /** Faces on the picture. */
  readonly count: number;
}

const FACE_HINT = 'use a photo with the whole face in view, or put landmarks beside it (photo.pts)';

async function see(
  pixels: Pixels,
  eyes: { detector: Detector; landmarker: Landmarker },
  hinted: DetectedFace | null,
): Promise<Seen> {
  const faces = await findFaces(pixels, eyes.detector, eyes.landmarker);
  const face = hinted === null ? largestFace(faces) : meantFace(faces, hinted);
  if (face === null) throw new DafError('ERR_DAF_NO_FACE', 'no face was found', { hint: FACE_HINT });
  const landmarks = await landmarksOf(pixels, face, eyes.landmarker);
  if (landmarks.confidence < MIN_CONFIDENCE) {
    const found = `what looks like a face (${face.confidence.toFixed(2)}) has no steady landmarks`;
    throw new DafError('ERR_DAF_NO_FACE', found, { hint: FACE_HINT });
  }
  // Where somebody said which face is meant, others beside it are no surprise.
  return { landmarks, box: face.box, count: hinted === null ? faces.length : 1 };
}

/** In sides of the landmarker's canvas: a face larger than this is shrunk first, and not once a look. */
const LANDMARK_FACE = 2;

async function landmarksOf(pixels: Pixels, face: DetectedFace, landmarker: Landmarker): Promise<FaceLandmarks> {
  const scale = (LANDMARK_FACE * landmarker.side) / Math.max(face.box.width, face.box.height);
  if (scale >= 1) return steadiest(pixels, face, landmarker);
  const small = await resizePixels(pixels, Math.round(pixels.width * scale), Math.round(pixels.height * scale));
  const found = await steadiest(small, { ...face, box: scaledBox(face.box, scale) }, landmarker);
  return { ...found, points: found.points.map((value) => value / scale) };
}

/**
 * Detectors find faces that lie or hang too, but misjudge how they are turned. Where the landmarks are unsteady the other quarter
 * turns are tried.
 */
async function steadiest(pixels: Pixels, face: DetectedFace, landmarker: Landmarker): Promise<FaceLandmarks> {
  let best: FaceLandmarks | null = null;
  for (const turn of [0, Math.PI, Math.PI / 2, -Math.PI / 2]) {
    const found = await findLandmarks(pixels, { ...face, roll: wrapAngle(face.roll + turn) }, landmarker);
    if (best === null || found.confidence > best.confidence) best = found;
    if (best.confidence > STEADY * face.confidence) break;
  }
  return best!;
}

function scaledBox(box: Box, scale: number): Box {
  return { x: box.x * scale, y: box.y * scale, width: box.width * scale, height: box.height * scale };
}

function severalFaces({ count, box: used }: Seen): FaceWarning[] {
  if (count < 2) return [];
  const { x, y, width, height } = used;
  const box = [x, y, width, height].map((value) => Math.round(value)).join(', ');
  return [{ code: 'ERR_DAF_SEVERAL_FACES', message: `${count} faces; the largest was used (box ${box})` }];
}

async function prepare(photo: PhotoSource, { decodeBytes, cropSide }: Sizes, look: Look): Promise<PreparedFace> {
  await using file = await openPhoto(photo);
  const header = await readHeader(file.input, decodeBytes);
  const { width, height } = header;
  const hint = photo.hint ?? null;
  const given = (await readSidecar(photo, width, height)) ?? hintLandmarks(hint, width, height);
  const working = await decodeScaled(file.input, header, WORKING_SIDE);
  const seen =
    given === null ? enlarge(await look(working, hintedOn(working, hint, header)), working, header) : sidecarSeen(given);
  const plan = planCrop(seen.landmarks.points, header.width, header.height, cropSide);
  if (plan === null) throw new DafError('ERR_DAF_NO_FACE', 'the face lies outside the photo');
  const { transform } = plan;
  const crop = await cut(file.input, header, working, plan);
  const points = photoToCrop(transform, seen.landmarks.points);
  const landmarks = { ...seen.landmarks, points };
  const quality = scoreFace(crop, boundsOf(points), transform.scale, landmarks.confidence);
  return {
    crop,
    landmarks,
    transform,
    box: seen.box,
    photo: { width: header.width, height: header.height },
    contentHash: file.contentHash,
    quality,
    warnings: severalFaces(seen),
  };
}

function hintedOn(working: Pixels, hint: FaceHint | null, { width, height }: PhotoHeader): DetectedFace | null {
  if (hint === null) return null;
  return hintFace({ ...hint, size: hint.size ?? [width, height] }, working.width, working.height);
}

/** From the pixels of the working picture to those of the photo. */
function enlarge(seen: Seen, working: Pixels, header: PhotoHeader): Seen {
  const x = header.width / working.width;
  const y = header.height / working.height;
  const points = seen.landmarks.points.map((value, i) => value * (i % 2 === 0 ? x : y));
  const { box } = seen;
  return {
    landmarks: { ...seen.landmarks, points },
    box: { x: box.x * x, y: box.y * y, width: box.width * x, height: box.height * y },
    count: seen.count,
  };
}

function sidecarSeen(points: Float32Array): Seen {
  return { landmarks: { points, confidence: 1, source: 'sidecar' }, box: boundsOf(points), count: 1 };
}

/** Orientation that takes a region lying by this many quarter turns to a standing crop. */
const STANDING: readonly Orientation[] = [1, 8, 3, 6];

async function cut(input: string | Uint8Array, header: PhotoHeader, working: Pixels, plan: CropPlan): Promise<Pixels> {
  const { region, width, height, transform } = plan;
  const full = working.width === header.width && working.height === header.height;
  const lying = full
    ? await resizePixels(part(working, region), width, height)
    : await decodeRegion(input, header, region, width, height);
  return upright(lying, STANDING[transform.quarterTurns]!);
}

function part(pixels: Pixels, box: Box): Pixels {
  const data = new Uint8Array(3 * box.width * box.height);
  for (let y = 0; y < box.height; ++y) {
    const from = 3 * ((box.y + y) * pixels.width + box.x);
    data.set(pixels.data.subarray(from, from + 3 * box.width), 3 * y * box.width);
  }
  return { width: box.width, height: box.height, channels: 3, data };
}

function boundsOf(points: Float32Array): Box {
  const { centerX, centerY, width, height } = turnedBounds(points, 0);
  return { x: centerX - width / 2, y: centerY - height / 2, width, height };
}
