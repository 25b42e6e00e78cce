import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { addon, type HeadHandle } from '#daf/core/addon/index.js';
import type { DetectedFace, Pixels } from '#daf/faces/types.js';
import { findFaces, largestFace } from '#daf/faces/vision/find-faces.js';
import { findLandmarks } from '#daf/faces/vision/find-landmarks.js';
import { turnedBounds } from '#daf/faces/vision/warp.js';
import { bootstrap, type Interval } from './interval.js';
import { type Eyes, readPhoto } from './measure-eyes.js';
import { aflwPhotos, degreesApart, dlibPhotos } from './truth.js';

export interface Measure {
  readonly unit: string;
  readonly values: readonly number[];
  readonly interval: Interval | null;
}

export interface SetResult {
  readonly measures: Readonly<Record<string, Measure>>;
  /** Faces found and the like. */
  readonly notes: readonly string[];
}

export function measure(unit: string, values: readonly number[]): Measure {
  return { unit, values, interval: bootstrap(values) };
}

/** Mean distance of 68 points, pixels. */
export function meanError(points: ArrayLike<number>, truth: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < 136; i += 2) sum += Math.hypot(points[i]! - truth[i]!, points[i + 1]! - truth[i + 1]!);
  return sum / 68;
}

/** Between the outer corners of the eyes. */
export function outerEyes(points: ArrayLike<number>): number {
  return Math.hypot(points[90]! - points[72]!, points[91]! - points[73]!);
}

export function boxSize(points: ArrayLike<number>): number {
  const { width, height } = turnedBounds(points, 0);
  return Math.sqrt(width * height);
}

/** The face of a list that is nearest to the truth's middle, within half its width. */
export function matching(faces: readonly DetectedFace[], truth: ArrayLike<number>): DetectedFace | null {
  const { centerX, centerY, width } = turnedBounds(truth, 0);
  const away = ({ box }: DetectedFace): number =>
    Math.hypot(box.x + box.width / 2 - centerX, box.y + box.height / 2 - centerY) / width;
  return faces.filter((face) => away(face) < 0.5).sort((a, b) => away(a) - away(b))[0] ?? null;
}

/** Groups of small faces: outer-eye NME of those found. */
export async function measureDlib(folder: string, eyes: Eyes, show: string | null): Promise<SetResult> {
  const errors: number[] = [];
  const extras: number[] = [];
  let all = 0;
  for (const { photo, faces: truths } of dlibPhotos(folder)) {
    const pixels = await readPhoto(photo);
    const faces = await findFaces(pixels, eyes.detector, eyes.landmarker);
    const used = new Set<DetectedFace>();
    const points: Float32Array[] = [];
    for (const truth of truths) {
      all += 1;
      const face = matching(faces, truth);
      if (face === null) continue;
      used.add(face);
      const found = await findLandmarks(pixels, face, eyes.landmarker);
      points.push(found.points);
      errors.push((100 * meanError(found.points, truth)) / outerEyes(truth));
    }
    extras.push(faces.length - used.size);
    await draw(show, photo, pixels, faces, points);
  }
  return {
    measures: { 'outer-eye NME': measure('%', errors) },
    notes: [`${errors.length} of ${all} faces found, false ones a photo: ${extras.join(', ')}`],
  };
}

/** One face a photo in any pose: NME by the root of the box's area, and degrees between the poses. */
export async function measureAflw(folder: string, eyes: Eyes, show: string | null): Promise<SetResult> {
  const errors: number[] = [];
  const turns: number[] = [];
  const photos = aflwPhotos(folder);
  const head = addon().headLoad(null);
  const automatic = { focal: null, focalSpread: null, center: null, noise: null };
  for (const { photo, faces, rotation } of photos) {
    const pixels = await readPhoto(photo);
    const face = largestFace(await findFaces(pixels, eyes.detector, eyes.landmarker));
    if (face === null) continue;
    const { points } = await findLandmarks(pixels, face, eyes.landmarker);
    errors.push((100 * meanError(points, faces[0]!)) / boxSize(faces[0]!));
    const pose = addon().estimatePose(head, points, null, pixels.width, pixels.height, automatic);
    turns.push(degreesApart(pose.camera.rotation, rotation!));
    await draw(show, photo, pixels, [face], [points]);
  }
  return {
    measures: { 'box NME': measure('%', errors), 'pose error': measure('°', turns) },
    notes: [`${errors.length} of ${photos.length} faces found`],
  };
}

const SIDE = 176;
const BATCH = 100;

/** Rendered heads of 70 pixels and more, the landmarks alone: the first look goes by the true box, moved by up to a tenth. */
export async function measureRendered(head: HeadHandle, count: number, eyes: Eyes): Promise<SetResult> {
  const errors: number[] = [];
  const projected: number[] = [];
  for (let first = 0; first < count; first += BATCH) {
    const some = Math.min(BATCH, count - first);
    const made = addon().synthesizeFaces(head, { seed: 990_001, first, count: some, form: 'plain', side: SIDE }, null);
    const [stride, bytes] = [made.truth.length / some, 3 * SIDE * SIDE];
    for (let i = 0; i < some; ++i) {
      const truth = made.truth.subarray(i * stride, (i + 1) * stride);
      const pixels: Pixels = { width: SIDE, height: SIDE, channels: 3, data: made.rgb.subarray(i * bytes, (i + 1) * bytes) };
      const [left, top, right, bottom] = truth.subarray(204, 208);
      const moved = (salt: number): number => 0.2 * ((Math.sin(12.9898 * (first + i) + salt) * 43758.5453) % 1) * 0.5;
      const size = (right! - left!) * (1 + moved(3));
      const box = {
        x: left! + moved(1) * size,
        y: top! + moved(2) * size,
        width: size,
        height: (bottom! - top!) * (1 + moved(3)),
      };
      const found = await findLandmarks(pixels, { box, confidence: 1, roll: 0 }, eyes.landmarker);
      const own = Float32Array.from([...truth.subarray(211, 245), ...truth.subarray(34, 136)]);
      errors.push((100 * meanError(found.points, truth)) / boxSize(truth.subarray(0, 136)));
      projected.push((100 * meanError(found.points, own)) / boxSize(own));
    }
  }
  // Models differ in where they put the jaw's hidden points.
  return {
    measures: { 'box NME, jaw on the contour': measure('%', errors), 'box NME, jaw as projected': measure('%', projected) },
    notes: [],
  };
}

async function draw(
  folder: string | null,
  photo: string,
  pixels: Pixels,
  faces: readonly DetectedFace[],
  points: readonly Float32Array[],
): Promise<void> {
  if (folder === null) return;
  mkdirSync(folder, { recursive: true });
  const zoom = Math.max(1, Math.round(1200 / pixels.width));
  const marks = [
    ...faces.map(
      ({ box: b }) => `<rect x="${b.x}" y="${b.y}" width="${b.width}" height="${b.height}" fill="none" stroke="red"/>`,
    ),
    ...points.flatMap((list) =>
      Array.from(
        { length: 68 },
        (_, i) => `<circle cx="${list[2 * i]}" cy="${list[2 * i + 1]}" r="${1 / zoom + 0.3}" fill="lime"/>`,
      ),
    ),
  ].join('');
  const [width, height] = [zoom * pixels.width, zoom * pixels.height];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${pixels.width} ${pixels.height}">${marks}</svg>`;
  const big = await sharp(pixels.data, { raw: pixels }).resize(width, height).png().toBuffer();
  writeFileSync(
    join(folder, `${basename(photo)}.png`),
    await sharp(big)
      .composite([{ input: Buffer.from(svg) }])
      .png()
      .toBuffer(),
  );
}
