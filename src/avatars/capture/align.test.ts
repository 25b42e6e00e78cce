import t from 'tap';
import { projectPoints } from '../../fields/camera.js';
import type { FieldCamera } from '../../fields/types.js';
import { rotationFromAngles } from '../camera.js';
import { alignCapture, moveTo, nearestPoint, type Similarity, similarityOf } from './align.js';
import { cameraIn } from './head_scene.js';

const into: Similarity = { scale: 6.2, rotation: [...rotationFromAngles(2.1, -0.4, 1.2)], translation: [3, -11, 4] };

/** [68][3] cm, on a face-like cap. */
const head = Array.from({ length: 68 }, (_, i) => [
  5 * Math.sin(i * 1.7),
  6 * Math.cos(i * 2.3),
  8 - 3 * Math.sin(i * 0.9) ** 2,
]).flat();

/** The same points in the capture's frame. */
const captured = Array.from({ length: 68 }, (_, i) => {
  const [x, y, z] = [0, 1, 2].map((k) => (head[3 * i + k]! - into.translation[k]!) / into.scale) as [number, number, number];
  return [0, 1, 2].map((c) => into.rotation[c]! * x + into.rotation[3 + c]! * y + into.rotation[6 + c]! * z);
}).flat();

/** Looks at the middle of the points from `yaw`, with a lens. */
function cameraAt(yaw: number): FieldCamera {
  const rotation = rotationFromAngles(yaw, 0.1, 0.05);
  const middle = [0, 1, 2].map((k) => captured.reduce((sum, value, i) => sum + (i % 3 === k ? value / 68 : 0), 0));
  const translation = [0, 1, 2].map(
    (r) =>
      -(rotation[3 * r]! * middle[0]! + rotation[3 * r + 1]! * middle[1]! + rotation[3 * r + 2]! * middle[2]!) -
      (r === 2 ? 9 : 0),
  );
  const distortion = { model: 'opencv', k1: 0.05, p1: 0.002 } as const;
  return { rotation, translation, focal: [900, 910], center: [260, 250], width: 512, height: 512, distortion };
}

const seen = (camera: FieldCamera) => ({ camera, landmarks: projectPoints(camera, Float32Array.from(captured)).pixels });

t.test('a capture is brought to the head by the landmarks in its pictures, through their lenses', async (t) => {
  const found = alignCapture(
    [-0.5, 0, 0.4].map((yaw) => seen(cameraAt(yaw))),
    head,
  )!;
  t.ok(found.residual < 0.01, `${found.residual} cm`);
  t.ok(Math.abs(found.scale / into.scale - 1) < 1e-3);
  for (const [i, value] of found.rotation.entries()) t.ok(Math.abs(value - into.rotation[i]!) < 1e-3);
  for (const [i, value] of found.translation.entries()) t.ok(Math.abs(value - into.translation[i]!) < 0.02);
});

t.test('pictures from one place say nothing of depth', async (t) => {
  t.equal(alignCapture([seen(cameraAt(0))], head), null);
  t.equal(alignCapture([seen(cameraAt(0.2)), seen(cameraAt(0.2))], head), null);
  t.equal(
    nearestPoint([
      { from: [0, 0, 0], along: [0, 0, 1] },
      { from: [1, 0, 0], along: [0, 0, 1] },
    ]),
    null,
  );
});

t.test('a half turn and mirrored points: a rotation all the same', async (t) => {
  const half = { scale: 2, rotation: [-1, 0, 0, 0, 1, 0, 0, 0, -1], translation: [1, 2, 3] as const };
  const points = captured.slice(0, 30);
  const moved = Array.from({ length: 10 }, (_, i) => moveTo(half, points.slice(3 * i, 3 * i + 3))).flat();
  const found = similarityOf(points, moved)!;
  t.ok(found.residual < 1e-9);
  t.ok(Math.abs(found.scale - 2) < 1e-9);
  const mirrored = similarityOf(
    points,
    points.map((value, i) => (i % 3 === 0 ? -value : value)),
  );
  if (mirrored !== null) {
    const [a, b, c, d, e, f, g, h, i] = mirrored.rotation as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    t.ok(Math.abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) - 1) < 1e-9, 'no mirror');
  }
  t.equal(similarityOf([1, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1]), null, 'one point has no size');
});

t.test('a camera in head space shows the same picture', async (t) => {
  const camera = cameraAt(0.3);
  const before = projectPoints(camera, Float32Array.from(captured));
  const after = projectPoints(cameraIn(into, camera), Float32Array.from(head));
  for (const [i, pixel] of before.pixels.entries()) t.ok(Math.abs(pixel - after.pixels[i]!) < 0.02);
  for (const [i, depth] of before.depths.entries())
    t.ok(Math.abs(depth * into.scale - after.depths[i]!) < 1e-3 * depth * into.scale);
});
