import { test } from 'tap';
import { orbit, spherePicture } from '../testing-scene.js';
import type { FieldBox } from '../types.js';
import { boxFromMattes } from './matte-box.js';
import type { SceneFrame } from './types.js';

/** Views of the sphere of radius 6, from all around. */
function frames(alphaOf: (alpha: number) => number): SceneFrame[] {
  return Array.from({ length: 30 }, (_, i) => {
    const camera = orbit(i * 2.4, Math.asin(-0.9 + (1.8 * i) / 29), 40, 64);
    const { alpha } = spherePicture(camera, 'photo');
    const rgba = new Uint8Array(64 * 64 * 4);
    (alpha as Float32Array).forEach((value, pixel) => {
      rgba[pixel * 4 + 3] = alphaOf(value);
    });
    return { name: String(i), split: 'train', camera, image: () => Promise.resolve({ width: 64, height: 64, rgba }) };
  });
}

const cube = (half: number): FieldBox => ({ min: [-half, -half, -half], max: [half, half, half] });

test('mattes give the box of what they show, wherever the search begins', async (t) => {
  for (const half of [4, 7, 10]) {
    const { min, max } = (await boxFromMattes(
      frames((alpha) => 255 * alpha),
      cube(half),
    ))!;
    for (const end of [...max, ...min.map((value) => -value)]) t.ok(end > 6 && end < 7.5, `±${half}: ${end}`);
  }
});

test('pictures that are empty, too few, or cut the thing off give none', async (t) => {
  t.equal(
    await boxFromMattes(
      frames(() => 0),
      cube(7),
    ),
    null,
  );
  t.equal(await boxFromMattes(frames((alpha) => 255 * alpha).slice(0, 7), cube(7)), null);
  t.equal(
    await boxFromMattes(
      frames(() => 255),
      cube(5),
    ),
    null,
  );
});
