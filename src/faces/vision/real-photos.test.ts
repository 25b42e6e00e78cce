import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import tap from 'tap';
import { readMatrices } from '../../testing/mat-file.js';
import { sharedData } from '../../testing/shared-data.test.fixture.js';
import { listPhotos } from '../datasets/folder.js';
import { openDetector } from '../models/detector.js';
import { openLandmarker } from '../models/landmarker.js';
import { resolveModels } from '../models/resolve.js';
import type { DetectedFace, Pixels } from '../types.js';
import { decodeScaled, readHeader } from './decode.js';
import { findFaces, largestFace } from './find-faces.js';
import { findLandmarks } from './find-landmarks.js';
import { openVision } from './prepare.js';
import { turnedBounds } from './warp.js';

const data = sharedData();
const skip = data === null ? 'no shared data: set DAF_SHARED_DATA' : false;
const at = (path: string): string => join(data ?? '', path);
/** DAF_SHOW=folder: pictures with boxes and points, to be looked at. */
const show = process.env['DAF_SHOW'];

interface Truth {
  readonly photo: string;
  /** Points of each face, in pixels counted from 0 at a pixel's centre. */
  readonly faces: readonly number[][];
}

function dlibTruth(): Truth[] {
  const xml = readFileSync(at('faces/dlib_training/training_with_face_landmarks.xml'), 'latin1');
  return [...xml.matchAll(/<image file='([^']+)'[^>]*>(.*?)<\/image>/gs)].map(([, name, body]) => ({
    photo: at(`faces/dlib_training/${name}`),
    faces: [...body!.matchAll(/<box [^>]*>(.*?)<\/box>/gs)].map(([, parts]) =>
      [...parts!.matchAll(/x='(-?\d+)' y='(-?\d+)'/g)].flatMap(([, x, y]) => [Number(x), Number(y)]),
    ),
  }));
}

/** `pt3d_68` (3 × 68, column by column) of a MATLAB 5 file. */
function matPoints(file: string): number[] {
  const points = readMatrices(file).get('pt3d_68');
  if (points === undefined) throw new Error(`${file} has no pt3d_68`);
  return Array.from({ length: 136 }, (_, i) => points[3 * (i >> 1) + (i & 1)]!);
}

function meanError(points: Float32Array, truth: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < 136; i += 2) sum += Math.hypot(points[i]! - 0.5 - truth[i]!, points[i + 1]! - 0.5 - truth[i + 1]!);
  return sum / 68;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const percent = (values: readonly number[]): string => values.map((value) => (100 * value).toFixed(1)).join(' ');

async function read(photo: string): Promise<Pixels> {
  return decodeScaled(photo, await readHeader(photo), 1536);
}

async function draw(
  name: string,
  pixels: Pixels,
  boxes: readonly DetectedFace[],
  points: readonly Float32Array[],
): Promise<void> {
  if (show === undefined) return;
  mkdirSync(show, { recursive: true });
  const dot = Math.max(0.8, pixels.width / 300);
  const marks = [
    ...boxes.map(
      ({ box: b }) => `<rect x="${b.x}" y="${b.y}" width="${b.width}" height="${b.height}" fill="none" stroke="red"/>`,
    ),
    ...points.flatMap((list) =>
      Array.from({ length: 68 }, (_, i) => `<circle cx="${list[2 * i]}" cy="${list[2 * i + 1]}" r="${dot}" fill="lime"/>`),
    ),
  ].join('');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${pixels.width}" height="${pixels.height}">${marks}</svg>`;
  const png = await sharp(pixels.data, { raw: pixels })
    .composite([{ input: Buffer.from(svg) }])
    .png()
    .toBuffer();
  writeFileSync(join(show, `${name.replace(/\W/g, '_')}.png`), png);
}

for (const [adapter, file] of [
  ['yunet', 'yunet_n_dynamic.onnx'],
  ['ultraface', 'version-RFB-320.onnx'],
] as const) {
  tap.test(`${file} with the 68-point pack`, { skip }, async (t) => {
    const detector = await openDetector({ file: at(`models/${file}`), adapter });
    const landmarker = await openLandmarker({ file: at('models/slim_160_latest.onnx'), adapter: 'peppa68' });
    t.teardown(() => Promise.all([detector.dispose(), landmarker.dispose()]));

    await t.test('small faces of groups', async (u) => {
      const errors: number[] = [];
      let [all, extra] = [0, 0];
      for (const { photo, faces: truths } of dlibTruth()) {
        const pixels = await read(photo);
        const faces = await findFaces(pixels, detector);
        const used = new Set<DetectedFace>();
        const points: Float32Array[] = [];
        for (const truth of truths) {
          all += 1;
          const { centerX, centerY, width } = turnedBounds(truth, 0);
          const away = ({ box }: DetectedFace): number =>
            Math.hypot(box.x + box.width / 2 - centerX, box.y + box.height / 2 - centerY) / width;
          const face = faces.filter((one) => away(one) < 0.5).sort((a, b) => away(a) - away(b))[0];
          if (face === undefined) continue;
          used.add(face);
          const found = await findLandmarks(pixels, face, landmarker);
          points.push(found.points);
          errors.push(meanError(found.points, truth) / Math.hypot(truth[90]! - truth[72]!, truth[91]! - truth[73]!));
        }
        extra += faces.length - used.size;
        await draw(`${file} ${photo.split('/').at(-1)}`, pixels, faces, points);
      }
      u.comment(
        `dlib_training: ${errors.length} of ${all} faces, ${extra} boxes beside; outer-eye NME ${percent([mean(errors)])} % (${percent(errors)})`,
      );
      u.ok(errors.length >= 17);
      u.ok(mean(errors) <= 0.075);
    });

    await t.test('turned heads', async (u) => {
      const errors: number[] = [];
      const photos = readdirSync(at('faces/aflw_8')).filter((name) => name.endsWith('.jpg'));
      for (const name of photos.sort()) {
        const truth = matPoints(at(`faces/aflw_8/${name.replace('.jpg', '.mat')}`));
        const pixels = await read(at(`faces/aflw_8/${name}`));
        const face = largestFace(await findFaces(pixels, detector));
        if (face === null) continue;
        const { points } = await findLandmarks(pixels, face, landmarker);
        const { width, height } = turnedBounds(truth, 0);
        errors.push(meanError(points, truth) / Math.sqrt(width * height));
        await draw(`${file} ${name}`, pixels, [face], [points]);
      }
      u.comment(
        `aflw_8: ${errors.length} of ${photos.length} faces; box-normalised NME ${percent([mean(errors)])} % (${percent(errors)})`,
      );
      u.equal(errors.length, 8);
      u.ok(mean(errors) <= 0.062);
    });
  });
}

tap.test('portraits of people: every one has a plausible crop', { skip }, async (t) => {
  const { photos, identities } = await listPhotos([at('faces/people')]);
  t.same([photos.length, identities.length], [17, 5]);
  const vision = await openVision({ models: await resolveModels({ models: at('models') }, {}) });
  const times: number[] = [];
  for (const photo of photos) {
    const start = performance.now();
    const face = await vision.prepare({ path: photo.path });
    times.push(performance.now() - start);
    const { width, height } = face.crop;
    const bounds = turnedBounds(face.landmarks.points, 0);
    t.ok(Math.max(width, height) <= 768 && Math.min(width, height) >= 300, `${photo.name}: ${width}×${height}`);
    t.ok(bounds.width > 0.25 * width && bounds.height > 0.25 * height && face.landmarks.confidence > 0.6);
    t.ok(Math.abs(bounds.centerX / width - 0.5) < 0.15, 'centred');
    t.ok(face.quality.total > 0.4 && face.quality.total < 1);
    await draw(`people ${photo.identity} ${photo.path.split('/').at(-1)}`, face.crop, [], [face.landmarks.points]);
  }
  t.comment(`${photos.length} photos, ${mean(times).toFixed(0)} ms a photo`);
  await vision.dispose();
});

tap.test('turned and tiny: a portrait on its side, upside down, and far away', { skip }, async (t) => {
  const vision = await openVision({ models: await resolveModels({ models: at('models') }, {}) });
  const photo = at('faces/people/p03/img20.jpg');
  for (const angle of [90, 180, 270]) {
    const face = await vision.prepare({ bytes: await sharp(photo).rotate(angle).jpeg().toBuffer() });
    t.equal(face.transform.quarterTurns, angle / 90, `turned by ${angle}`);
    await draw(`turned ${angle}`, face.crop, [], [face.landmarks.points]);
  }
  const tiny = await sharp(photo).resize(130).toBuffer();
  const far = await sharp({ create: { width: 2400, height: 1600, channels: 3, background: '#a8b0b8' } })
    .composite([{ input: tiny, left: 1900, top: 1200 }])
    .jpeg()
    .toBuffer();
  const found = await vision.prepare({ bytes: far });
  t.ok(found.box.x > 1900 && found.box.x + found.box.width < 2030 && found.box.y > 1200);
  await draw('far away', found.crop, [], [found.landmarks.points]);
  const huge = await sharp(photo).extract({ left: 230, top: 180, width: 440, height: 500 }).resize(1320, 1500).jpeg().toBuffer();
  const close = await vision.prepare({ bytes: huge });
  await draw('close', close.crop, [], [close.landmarks.points]);
  t.ok(close.box.width > 500);
  await t.rejects(
    vision.prepare({ bytes: await sharp(far).extract({ left: 0, top: 0, width: 800, height: 800 }).png().toBuffer() }),
    {
      code: 'ERR_DAF_NO_FACE',
    },
  );
  await vision.dispose();
});
