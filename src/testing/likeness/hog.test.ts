import tap from 'tap';
import { areaUnderCurve, CROP_SIDE, cosine, cropMap, cropOf, type GreyCrop, hog, hullMask, toCrop } from './hog.js';

const everywhere = new Uint8Array(CROP_SIDE * CROP_SIDE).fill(1);
const draw = (at: (x: number, y: number) => number): GreyCrop => ({
  side: CROP_SIDE,
  data: Float32Array.from({ length: CROP_SIDE * CROP_SIDE }, (_, i) => at(i % CROP_SIDE, Math.floor(i / CROP_SIDE))),
});

tap.test('a crop is upright with its eyes in place, however the picture lies', async (t) => {
  // A picture whose grey tells the place; eyes on a line that falls by 3 in 4.
  const map = cropMap([100, 80], [260, 200]);
  for (const [eye, wanted] of [
    [
      [100, 80],
      [44, 40],
    ],
    [
      [260, 200],
      [84, 40],
    ],
  ] as const) {
    const [u, v] = toCrop(map, eye);
    t.ok(Math.hypot(u - wanted[0], v - wanted[1]) < 1e-6);
  }
  const crop = cropOf(400, 400, map, (x) => x / 2);
  // Pixel (64, 40) of the crop is midway between the eyes, half a pixel (5 wide) further along and down the line.
  const expected = (180 - 0.5 + 0.5 * map[0] - 0.5 * map[1]) / 2;
  t.ok(Math.abs(crop.data[40 * CROP_SIDE + 64]! - expected) < 0.5, `${crop.data[40 * CROP_SIDE + 64]}`);
});

tap.test('a hull is filled, and nothing else', async (t) => {
  const mask = hullMask([
    [10, 10],
    [50, 10],
    [30, 20],
    [10, 50],
    [50, 50],
  ]);
  t.equal(
    mask.reduce((sum, value) => sum + value, 0),
    1600,
  );
  t.equal(mask[30 * CROP_SIDE + 30], 1);
  t.equal(mask[5 * CROP_SIDE + 30], 0);
});

tap.test('gradients tell directions apart and do not care for light', async (t) => {
  const across = draw((x) => 128 + 60 * Math.sin(x / 3));
  const along = draw((_, y) => 128 + 60 * Math.sin(y / 3));
  const dimmed = draw((x) => 60 + 40 * Math.sin(x / 3));
  const own = hog(across, everywhere);
  t.ok(cosine(own, hog(dimmed, everywhere)) > 0.98);
  t.ok(cosine(own, hog(along, everywhere)) < 0.1);
  t.ok(Math.abs(cosine(own, own) - 1) < 1e-6);
  t.equal(cosine(own, new Float32Array(own.length)), 0);
});

tap.test('what lies outside the mask, and the border of the mask, are no edges', async (t) => {
  const mask = hullMask([
    [32, 32],
    [96, 32],
    [96, 96],
    [32, 96],
  ]);
  const inside = (x: number, y: number): boolean => x >= 32 && x < 96 && y >= 32 && y < 96;
  const plain = hog(
    draw((x, y) => (inside(x, y) ? 128 + 50 * Math.sin(x / 4) : 0)),
    mask,
  );
  const busy = hog(
    draw((x, y) => (inside(x, y) ? 128 + 50 * Math.sin(x / 4) : 255 * ((x + y) % 2))),
    mask,
  );
  t.same(busy, plain);
  t.ok(
    hog(
      draw((x, y) => (inside(x, y) ? 128 : 0)),
      mask,
    ).every((value) => value === 0),
  );
});

tap.test('area under the curve', async (t) => {
  t.equal(areaUnderCurve([3, 4], [1, 2]), 1);
  t.equal(areaUnderCurve([1, 2], [3, 4]), 0);
  t.equal(areaUnderCurve([1, 3], [2, 2]), 0.5);
  t.equal(areaUnderCurve([2], [2, 2]), 0.5);
});
