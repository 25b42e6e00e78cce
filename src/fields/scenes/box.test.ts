import { test } from 'tap';
import { orbit } from '../testing-scene.js';
import type { FieldCamera } from '../types.js';
import { boxFromCameras, boxFromPoints, intersection, nearDistance, sees } from './box.js';

const around = Array.from({ length: 12 }, (_, i) => orbit(i * 0.7, (i % 3) * 0.4 - 0.4, 10, 64));

test('cameras around a place give the cube that they all see', (t) => {
  const moved = around.map((camera): FieldCamera => {
    // The world moves by (5, 6, 7): t' = t − R d.
    const { rotation: r, translation } = camera;
    const shift = [0, 3, 6].map((row) => r[row]! * 5 + r[row + 1]! * 6 + r[row + 2]! * 7);
    return { ...camera, translation: shift.map((v, a) => translation[a]! - v) };
  });
  // Focal length 2.4 sizes: the edge is seen at atan(0.5 / 2.4).
  const half = 10 * Math.sin(Math.atan(0.5 / 2.4));
  const { min, max } = boxFromCameras(moved);
  for (const [axis, middle] of [5, 6, 7].entries()) {
    t.ok(Math.abs(min[axis]! - (middle - half)) < 1e-3, `${min[axis]} ${middle - half}`);
    t.ok(Math.abs(max[axis]! - (middle + half)) < 1e-3);
  }
  t.end();
});

test('cameras side by side or facing outwards give the place where they stand', (t) => {
  const row = [0, 1, 2, 3].map((x): FieldCamera => ({ ...orbit(0, 0, 0, 64), translation: [-x, 0, 0] }));
  const { min, max } = boxFromCameras(row);
  t.ok(min[0] < 0 && max[0] > 3 && min[2] < 0 && max[2] > 0);
  const outward = around.map((camera) => ({ ...camera, translation: [0, 0, 10] }));
  const box = boxFromCameras(outward);
  t.ok(
    box.max.every((value, axis) => Math.abs(value + box.min[axis]!) < 20 && value > 10),
    JSON.stringify(box),
  );
  t.end();
});

test('points give their box without stray ones; too few give none', (t) => {
  const positions = Float32Array.from({ length: 3000 }, (_, i) => ((i * 7919) % 1000) / 1000);
  positions.set([500, -500, 500], 0);
  const { min, max } = boxFromPoints({ positions, colors: null })!;
  for (let axis = 0; axis < 3; axis++) {
    t.ok(min[axis]! > -0.11 && min[axis]! < 0, String(min));
    t.ok(max[axis]! < 1.11 && max[axis]! > 1, String(max));
  }
  t.equal(boxFromPoints({ positions: positions.subarray(0, 30), colors: null }), null);
  t.equal(boxFromPoints({ positions: new Float32Array(3000), colors: null }), null, 'all in one place');
  const near = nearDistance({ positions: positions.map((v) => v - 0.5), colors: null }, around);
  t.ok(near > 4.3 && near < 5, String(near));
  t.equal(nearDistance(null, around), 0);
  const many = Float32Array.from({ length: 3 << 20 }, (_, i) => positions[i % 3000]! - 0.5);
  const nearMany = nearDistance({ positions: many, colors: null }, around);
  t.ok(Math.abs(nearMany - near) < 0.01, `${nearMany} of a part of the points`);
  t.end();
});

test('boxes meet, and cameras see them or not', (t) => {
  const unit = { min: [-1, -1, -1], max: [1, 1, 1] } as const;
  t.same(intersection(unit, { min: [0, -5, -5], max: [5, 5, 0] }), { min: [0, -1, -1], max: [1, 1, 0] });
  t.same(intersection(unit, { min: [2, 2, 2], max: [3, 3, 3] }), unit, 'apart: the first');
  t.ok(sees(orbit(0.3, 0.2, 10, 64), unit));
  t.notOk(sees(orbit(0, 0, 10, 64), { min: [-1, -1, 20], max: [1, 1, 22] }), 'behind the camera');
  t.end();
});
