import { statSync } from 'node:fs';
import tap from 'tap';
import { addon } from '../../core/addon/index.js';
import type { Pixels } from '../types.js';
import { findFaces, largestFace } from '../vision/find-faces.js';
import { findLandmarks } from '../vision/find-landmarks.js';
import { turnedBounds } from '../vision/warp.js';
import { openDetector } from './detector.js';
import { embeddedModels } from './embedded.js';
import { inspectModel } from './inspect.js';
import { openLandmarker } from './landmarker.js';

const SIDE = 176;
const PICTURES = 24;

tap.test('DAF carries a detector and a landmarker that its adapters know, of 3 MB at most', async (t) => {
  const { detector, landmarks } = embeddedModels();
  t.equal((await inspectModel(detector!.file)).adapter, 'yunet');
  t.equal((await inspectModel(landmarks!.file)).adapter, 'daf68');
  t.ok(statSync(detector!.file).size + statSync(landmarks!.file).size <= 3e6);
});

// Seeds that no training saw. What they do on photos is measured by `npm run eval:faces`.
tap.test('the embedded models find rendered faces and their points', async (t) => {
  const own = embeddedModels();
  const detector = await openDetector(own.detector!);
  const landmarker = await openLandmarker(own.landmarks!);
  const made = addon().synthesizeFaces(
    addon().headLoad(null),
    { seed: 770_077, first: 0, count: PICTURES, form: 'plain', side: SIDE },
    null,
  );
  const [stride, bytes] = [made.truth.length / PICTURES, 3 * SIDE * SIDE];
  const errors: number[] = [];
  for (let i = 0; i < PICTURES; ++i) {
    const data = made.rgb.subarray(i * bytes, (i + 1) * bytes);
    const pixels: Pixels = { width: SIDE, height: SIDE, channels: 3, data };
    const face = largestFace(await findFaces(pixels, detector, landmarker));
    if (face === null) continue;
    const { points } = await findLandmarks(pixels, face, landmarker);
    const truth = made.truth.subarray(i * stride, i * stride + 136);
    const { width, height } = turnedBounds(truth, 0);
    let sum = 0;
    for (let k = 0; k < 136; k += 2) sum += Math.hypot(points[k]! - truth[k]!, points[k + 1]! - truth[k + 1]!);
    errors.push((100 * sum) / 68 / Math.sqrt(width * height));
  }
  errors.sort((a, b) => a - b);
  t.ok(errors.length >= PICTURES - 2, `${errors.length} of ${PICTURES} faces found`);
  const median = errors[errors.length >> 1]!;
  t.ok(median < 4, `median box NME ${median.toFixed(2)} %`);
  const grey: Pixels = { width: SIDE, height: SIDE, channels: 3, data: new Uint8Array(bytes).fill(127) };
  t.same(await findFaces(grey, detector, landmarker), [], 'no face where there is none');
  await Promise.all([detector.dispose(), landmarker.dispose()]);
});
