import tap from 'tap';
import { projectPoint, rotationFromAngles } from '../../avatars/camera.js';
import type { CameraValues } from '../../core/addon/index.js';
import { applySimilarity, type Similarity, similarityOf, throughSimilarity } from './similarity.js';

const POINTS = Float32Array.from({ length: 36 }, (_, i) => 8 * Math.sin(12.9 * i + 1));
const TRUTH: Similarity = {
  scale: 1.07,
  rotation: [...rotationFromAngles(0.3, -0.2, 0.1)],
  translation: [0.4, -1.5, 2],
};

tap.test('a similarity is found again', async (t) => {
  const found = similarityOf(POINTS, applySimilarity(TRUTH, POINTS));
  t.ok(Math.abs(found.scale - TRUTH.scale) < 1e-5);
  for (let i = 0; i < 9; ++i) t.ok(Math.abs(found.rotation[i]! - TRUTH.rotation[i]!) < 1e-5, `rotation ${i}`);
  for (let i = 0; i < 3; ++i) t.ok(Math.abs(found.translation[i]! - TRUTH.translation[i]!) < 1e-4, `translation ${i}`);
});

tap.test('of points that do not quite fit, none nearby is better', async (t) => {
  const to = applySimilarity(TRUTH, POINTS).map((value, i) => value + 0.3 * Math.cos(7.7 * i));
  const away = (similarity: Similarity): number =>
    applySimilarity(similarity, POINTS).reduce((sum, value, i) => sum + (value - to[i]!) ** 2, 0);
  const found = similarityOf(POINTS, to);
  const least = away(found);
  for (const change of [-0.002, 0.002]) {
    t.ok(away({ ...found, scale: found.scale + change }) > least);
    for (let k = 0; k < 3; ++k) {
      const translation = found.translation.map((value, i) => (i === k ? value + change : value)) as [number, number, number];
      t.ok(away({ ...found, translation }) > least);
    }
  }
});

tap.test('a camera follows the similarity', async (t) => {
  const camera: CameraValues = {
    rotation: rotationFromAngles(-0.5, 0.1, 0.05),
    translation: Float32Array.of(1, 2, -90),
    focal: 700,
    center: Float32Array.of(300, 250),
    width: 600,
    height: 500,
  };
  const moved = applySimilarity(TRUTH, POINTS);
  const other = throughSimilarity(camera, TRUTH);
  for (let at = 0; at < POINTS.length; at += 3) {
    const [x, y] = projectPoint(camera, POINTS, at)!;
    const [u, v] = projectPoint(other, moved, at)!;
    t.ok(Math.hypot(x - u, y - v) < 0.01, `${x}, ${y} against ${u}, ${v}`);
  }
});
