import tap from 'tap';
import { facePoints } from '../models/onnx.test.fixture.js';
import type { Pixels } from '../types.js';
import { cropToPhoto, MAX_CROP, photoToCrop, planCrop } from './crop.js';
import { scoreFace, withPose } from './quality.js';
import { fromTurnedBox, rollOf, turnedBounds, warpToPlanes } from './warp.js';

/** Red grows by 1 a pixel to the right, green by 1 a pixel down; blue is flat. */
function ramp(width: number, height: number): Pixels {
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; ++i) data.set([i % width, Math.floor(i / width), 128], 3 * i);
  return { width, height, channels: 3, data };
}

/** A face of this size, turned clockwise about its centre. */
function face(centerX: number, centerY: number, size: number, roll: number): Float32Array {
  const out = new Float32Array(136);
  fromTurnedBox({ centerX, centerY, width: size, height: size, angle: roll }, facePoints(), out);
  return out;
}

tap.test('a warp reads the picture where the box lies, turned, mirrored, shrunk', async (t) => {
  const pixels = ramp(200, 200);
  const size = 40;
  const planes = new Float32Array(3 * size * size);
  for (const [angle, mirror, scale] of [
    [0, 1, 1],
    [0.4, 1, 2.5],
    [-2, 1, 0.5],
    [1.1, -1, 2],
  ] as const) {
    const box = { centerX: 100, centerY: 95, width: mirror * size * scale, height: size * scale, angle };
    warpToPlanes(pixels, box, size, size, { order: 'rgb', mean: 10, factor: 0.5, outside: 0 }, planes);
    const place = new Float32Array(2);
    let worst = 0;
    for (let y = 0; y < size; ++y) {
      for (let x = 0; x < size; ++x) {
        fromTurnedBox(box, [(x + 0.5) / size, (y + 0.5) / size], place);
        // Pixel centres are at +0.5: a ramp at position p has value p - 0.5.
        worst = Math.max(worst, Math.abs(planes[y * size + x]! - (place[0]! - 0.5 - 10) / 2));
        worst = Math.max(worst, Math.abs(planes[size * size + y * size + x]! - (place[1]! - 0.5 - 10) / 2));
      }
    }
    t.ok(worst < 1e-3, `angle ${angle}, mirror ${mirror}, scale ${scale}: off by ${worst}`);
  }
  const outside = { centerX: -500, centerY: 0, width: 10, height: 10, angle: 0 };
  warpToPlanes(pixels, outside, size, size, { order: 'bgr', mean: 127, factor: 1, outside: 127 }, planes);
  t.ok(planes.every((value) => value === 0));
  warpToPlanes(
    pixels,
    { ...outside, centerX: 100, centerY: 20 },
    size,
    size,
    { order: 'bgr', mean: 0, factor: 1, outside: 0 },
    planes,
  );
  t.equal(planes[0], 128, 'BGR starts with blue');
});

tap.test('roll is read from the points at every angle', async (t) => {
  for (let roll = -3; roll <= 3; roll += 0.5) {
    const points = face(300, 200, 120, roll);
    t.ok(Math.abs(rollOf(points) - roll) < 1e-4, `${roll}`);
    const bounds = turnedBounds(points, roll);
    t.ok(Math.abs(bounds.width - 120) < 2 && Math.abs(bounds.height - 120) < 2);
  }
});

tap.test('a crop holds the head, keeps scale and roll, and maps back', async (t) => {
  for (const [size, roll, quarters] of [
    [100, 0, 0],
    [100, 0.5, 0],
    [100, Math.PI / 2, 1],
    [150, 1.2, 1],
    [180, Math.PI, 2],
    [140, -Math.PI / 2, 3],
    [900, 0, 0],
    [1111, 1.6, 1],
  ] as const) {
    const points = face(2000, 1900, size, roll);
    const plan = planCrop(points, 4000, 4000)!;
    const { region, transform } = plan;
    t.equal(transform.quarterTurns, quarters, `roll ${roll}`);
    t.ok(plan.width <= MAX_CROP && plan.height <= MAX_CROP);
    t.equal(transform.scale, size < 300 ? 1 : 8 / Math.ceil((Math.max(region.width, region.height) * 8) / MAX_CROP));
    t.equal(plan.width, region.width * transform.scale, 'one exact scale for both axes');
    t.equal(plan.height, region.height * transform.scale);
    const inside = photoToCrop(transform, points);
    const [wide, high] = quarters % 2 === 0 ? [plan.width, plan.height] : [plan.height, plan.width];
    t.ok(Math.abs(rollOf(inside)) <= Math.PI / 4 + 1e-3, 'it stands');
    const face1 = turnedBounds(inside, 0);
    t.ok(Math.abs(face1.centerX / wide - 0.5) < 0.05, 'centred');
    t.ok(face1.centerY / high > 0.5 && face1.centerY / high < 0.6, 'with room for hair');
    const back = cropToPhoto(transform, inside);
    t.ok(back.every((value, i) => Math.abs(value - points[i]!) < 1e-3));
    const corners = cropToPhoto(transform, [0, 0, wide, high]);
    t.same(
      [
        Math.min(corners[0]!, corners[2]!),
        Math.min(corners[1]!, corners[3]!),
        Math.max(corners[0]!, corners[2]!),
        Math.max(corners[1]!, corners[3]!),
      ],
      [region.x, region.y, region.x + region.width, region.y + region.height],
      'the corners of the crop are those of the region',
    );
  }
  const clipped = planCrop(face(20, 30, 100, 0), 300, 200)!;
  t.same([clipped.region.x, clipped.region.y], [0, 0], 'clipped at the border');
  t.equal(planCrop(face(-500, 30, 100, 0), 300, 200), null);
});

tap.test('quality falls with size, blur, darkness and doubt, and is the same every time', async (t) => {
  const make = (size: number, blur: number, gain: number): number => {
    const data = new Uint8Array(3 * size * size);
    for (let i = 0; i < size * size; ++i) {
      const [u, v] = [(i % size) / size, Math.floor(i / size) / size];
      const detail = 40 * Math.exp(-blur) * Math.sin(60 * u) * Math.sin(60 * v);
      data.fill(Math.max(0, Math.min(255, gain * (120 + detail))), 3 * i, 3 * i + 3);
    }
    const crop = { width: size, height: size, channels: 3, data } as const;
    return scoreFace(crop, { x: 0, y: 0, width: size, height: size }, 1, 0.9).total;
  };
  const good = make(400, 0, 1);
  t.equal(make(400, 0, 1), good);
  t.equal(good, Math.round(good * 1e6) / 1e6);
  t.ok(good > 0 && good <= 1);
  t.ok(make(60, 0, 1) < good);
  t.ok(make(400, 2, 1) < good);
  t.ok(make(400, 0, 0.2) < good);
  t.ok(make(400, 0, 2) < good);
  const scored = { total: 0.8, size: 1, sharpness: 1, exposure: 1, confidence: 1 };
  t.equal(withPose(scored, 0, 0).total, 0.8);
  t.ok(withPose(scored, 0.5, 0).total > withPose(scored, 1, 0).total);
  t.equal(withPose(scored, -0.5, 0).total, withPose(scored, 0.5, 0).total);
  t.equal(withPose(scored, 3, 0).total, 0.266667);
});
