import tap from 'tap';
import { encoded, exposureRatio, fitLight, type Light, linear, type Unlit, underLight } from './light.js';

/** A half sphere of patches of different skin, seen from the front. */
const COUNT = 400;
const normals = new Float32Array(3 * COUNT);
const rgba = new Uint8Array(4 * COUNT).fill(255);
for (let i = 0; i < COUNT; ++i) {
  const [x, y] = [((i % 20) - 9.5) / 14, (Math.floor(i / 20) - 9.5) / 14];
  normals.set([x, y, Math.sqrt(1 - x * x - y * y)], 3 * i);
  rgba.set([150 + (i % 50), 110 + (i % 30), 90 + (i % 20)], 4 * i);
}
const ball: Unlit = { rgba, normals };
const light: Light = Float64Array.of(0.5, 0.25, 0.1, 0.3, 0.45, 0.2, 0.12, 0.28, 0.4, 0.1, 0.15, 0.2);
const photoOf = (lit: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: 3 * COUNT }, (_, i) => lit[4 * Math.floor(i / 3) + (i % 3)]!);

tap.test('the light of a photo is found, and shows the head as the photo does', async (t) => {
  const photo = photoOf(underLight(ball, light));
  const found = fitLight(ball, photo, () => true);
  for (let i = 0; i < 12; ++i) t.ok(Math.abs(found[i]! - light[i]!) < 0.02, `${i}: ${found[i]} is not ${light[i]}`);
  const again = photoOf(underLight(ball, found));
  t.ok(again.every((value, i) => Math.abs(value - photo[i]!) <= 2));
});

tap.test('pixels that are not to be used change nothing', async (t) => {
  const photo = photoOf(underLight(ball, light));
  const clean = fitLight(ball, photo, (i) => i >= 40);
  photo.fill(0, 0, 120);
  t.same(
    fitLight(ball, photo, (i) => i >= 40),
    clean,
  );
});

tap.test('marks that the drawing lacks are no light', async (t) => {
  const photo = photoOf(underLight(ball, light));
  for (let i = 0; i < COUNT; i += 7) photo.fill(12, 3 * i, 3 * i + 3);
  const found = fitLight(ball, photo, () => true);
  for (let i = 0; i < 12; ++i) t.ok(Math.abs(found[i]! - light[i]!) < 0.05, `${i}: ${found[i]} is not ${light[i]}`);
});

tap.test('one flat colour leaves the direction at nothing', async (t) => {
  const wall: Unlit = { rgba, normals: normals.map((_, i) => (i % 3 === 2 ? 1 : 0)) };
  const found = fitLight(wall, photoOf(underLight(wall, light)), () => true);
  t.ok(Math.abs(found[0]! + found[3]! - 0.8) < 0.02);
  t.ok(Math.abs(found[1]!) < 1e-3);
});

tap.test('exposure is read from what stands still', async (t) => {
  const early = Uint8Array.from({ length: 300 }, (_, i) => 60 + (i % 60));
  const late = early.map((value) => Math.round(encoded(1.3 * linear(value))));
  t.ok(Math.abs(exposureRatio(late, early, () => true) - 1.3) < 0.01);
  t.ok(Number.isNaN(exposureRatio(late, early, () => false)));
  const doubled = exposureRatio(
    late,
    early,
    () => true,
    (byte) => linear(byte) ** 2,
  );
  t.ok(Math.abs(doubled - 1.69) < 0.03, 'light is what the film makes of it');
});
