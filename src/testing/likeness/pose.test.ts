import tap from 'tap';
import { projectPoint, rotationFromAngles } from '../../avatars/camera.js';
import { embeddedHead, shapeOf } from '../../avatars/head.js';
import type { CameraValues } from '../../core/addon/index.js';
import { type FrozenHead, rotationFrom, solvePose, solveSymmetric } from './pose.js';

const head = embeddedHead();
const pick = (values: Float32Array): Float32Array =>
  Float32Array.from({ length: 204 }, (_, i) => values[3 * head.info.landmarks[Math.floor(i / 3)]! + (i % 3)]!);
const identity = Float32Array.from({ length: 12 }, (_, i) => Math.sin(3 * i));
const frozen: FrozenHead = {
  points: pick(shapeOf(head, identity)),
  expressions: head.expressions.map(({ deltas }) => pick(deltas)),
};
const size = 400;

tap.test('pose, focal length and expression of a known head are found', async (t) => {
  const truth: CameraValues = {
    rotation: rotationFromAngles(0.5, -0.15, 0.1),
    translation: Float32Array.of(0.8, 2, -75),
    focal: 640,
    center: Float32Array.of(size / 2, size / 2),
    width: size,
    height: size,
  };
  const weights = new Float32Array(head.info.expressionNames.length);
  weights[head.info.expressionNames.indexOf('jawOpen')] = 0.5;
  weights[head.info.expressionNames.indexOf('mouthSmileLeft')] = 0.4;
  const shown = pick(shapeOf(head, identity, weights));
  const pixels = Float32Array.from({ length: 136 }, (_, i) => projectPoint(truth, shown, 3 * (i >> 1))![i & 1]!);
  const start = { ...truth, rotation: rotationFromAngles(0.1, 0, 0), translation: Float32Array.of(0, 3, -90), focal: 600 };
  const solved = solvePose(frozen, pixels, {
    start,
    weights: new Float32Array(68).fill(1),
    focal: 600,
    focalSpread: 0.35,
    noise: 0.5,
    expressionSpread: 0.25,
  });
  t.ok(solved.residual < 0.6, `residual ${solved.residual} pixels`);
  const wanted = rotationFromAngles(0.5, -0.15, 0.1);
  for (let i = 0; i < 9; ++i) t.ok(Math.abs(solved.camera.rotation[i]! - wanted[i]!) < 0.03, `rotation ${i}`);
  const open = solved.expression[head.info.expressionNames.indexOf('jawOpen')]!;
  t.ok(open > 0.25 && open < 0.7, `jaw ${open}`);
  t.ok(solved.expression.every((weight) => weight >= 0 && weight <= 1));
});

tap.test('a point of weight 0 says nothing', async (t) => {
  const camera: CameraValues = {
    rotation: rotationFromAngles(0, 0, 0),
    translation: Float32Array.of(0, 3, -80),
    focal: 600,
    center: Float32Array.of(size / 2, size / 2),
    width: size,
    height: size,
  };
  const still: FrozenHead = { points: frozen.points, expressions: [] };
  const pixels = Float32Array.from({ length: 136 }, (_, i) => projectPoint(camera, still.points, 3 * (i >> 1))![i & 1]!);
  pixels[60] = 5;
  const weights = new Float32Array(68).fill(1);
  weights[30] = 0;
  const search = { start: camera, focal: 600, focalSpread: 0.35, noise: 1, expressionSpread: 0.25 };
  t.ok(solvePose(still, pixels, { ...search, weights }).residual < 0.01);
  t.ok(solvePose(still, pixels, { ...search, weights: new Float32Array(68).fill(1) }).residual > 5);
});

tap.test('small equations', async (t) => {
  t.same(
    [...solveSymmetric(Float64Array.of(4, 2, 2, 3), Float64Array.of(2, 5))!].map((x) => Math.round(1e6 * x) / 1e6),
    [-0.5, 2],
  );
  t.equal(solveSymmetric(Float64Array.of(1, 2, 2, 1), Float64Array.of(1, 1)), null);
  const quarter = rotationFrom(0, Math.PI / 2, 0).map((x) => Math.round(x));
  t.strictSame(
    quarter.map((x) => x + 0),
    [0, 0, 1, 0, 1, 0, -1, 0, 0],
  );
});
