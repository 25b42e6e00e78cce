import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { projectPoints } from '../camera.js';
import { openScene } from './open.js';
import { errorOf, sceneFolder, writePicture } from './scenes.test.fixture.js';

/** Nine views of two cameras; every image's quaternion turns it by 90° around the viewing axis. */
const CAMERAS = ['1 OPENCV 16 12 20 22 8 6 0.1 0.01 0.001 0.002', '7 SIMPLE_RADIAL 16 12 20 8 6 0.05'];
const HALF = Math.SQRT1_2;
const POINT = '3 1.5 -2 10 200 100 50 0.4 1 0 2 5';

async function writeText(folder: string, model: string): Promise<void> {
  mkdirSync(model, { recursive: true });
  const images: string[] = [];
  for (let i = 0; i < 9; i++) {
    await writePicture(join(folder, 'images', `view ${i}.png`), 16, 12, [i, 0, 0]);
    images.push(
      `${i + 1} ${HALF} 0 0 ${HALF} ${i} 0.5 4 ${i === 0 ? 7 : 1} view ${i}.png`,
      i % 2 === 0 ? '' : '3.5 4.5 -1 7 8 3',
    );
  }
  writeFileSync(join(model, 'cameras.txt'), ['# Camera list', ...CAMERAS, ''].join('\n'));
  writeFileSync(join(model, 'images.txt'), ['# Image list', ...images, ''].join('\n'));
  writeFileSync(join(model, 'points3D.txt'), `# 3D point list\r\n${POINT}\r\n`);
}

/** The same as bytes. */
function writeBinary(model: string): void {
  mkdirSync(model, { recursive: true });
  const u64 = (v: number): Buffer => Buffer.from(BigUint64Array.of(BigInt(v)).buffer);
  const u32 = (...v: number[]): Buffer => Buffer.from(Uint32Array.from(v).buffer);
  const f64 = (...v: number[]): Buffer => Buffer.from(Float64Array.from(v).buffer);
  const cameras = [
    [u32(1, 4), u64(16), u64(12), f64(20, 22, 8, 6, 0.1, 0.01, 0.001, 0.002)],
    [u32(7, 2), u64(16), u64(12), f64(20, 8, 6, 0.05)],
  ];
  const images = Array.from({ length: 9 }, (_, i) => {
    const seen = i % 2 === 0 ? [u64(0)] : [u64(2), f64(3.5, 4.5), Buffer.alloc(8, 0xff), f64(7, 8), u64(3)];
    return [u32(i + 1), f64(HALF, 0, 0, HALF, i, 0.5, 4), u32(i === 0 ? 7 : 1), Buffer.from(`view ${i}.png\0`), ...seen];
  });
  const point = [u64(3), f64(1.5, -2, 10), Buffer.of(200, 100, 50), f64(0.4), u64(2), u32(1, 0, 2, 5)];
  writeFileSync(join(model, 'cameras.bin'), Buffer.concat([u64(2), ...cameras.flat()]));
  writeFileSync(join(model, 'images.bin'), Buffer.concat([u64(9), ...images.flat()]));
  writeFileSync(join(model, 'points3D.bin'), Buffer.concat([u64(1), ...point]));
}

test('text and binary models give the same scene', async (t) => {
  const folder = sceneFolder(t);
  await writeText(folder, join(folder, 'sparse/0'));
  const text = await openScene(folder);
  writeBinary(join(folder, 'sparse/0'));
  const binary = await openScene(folder);
  const plain = (scene: typeof text): unknown => ({
    ...scene,
    path: '',
    frames: scene.frames.map(({ image: _, ...frame }) => frame),
  });
  t.same(plain(binary), plain(text));
  t.match([text.path, binary.path], [/images\.txt$/, /images\.bin$/]);
  t.equal(text.format, 'colmap');
  t.same([...text.points!.positions], [1.5, -2, 10]);
  t.same([...text.points!.colors!], [200, 100, 50]);
  t.same(
    text.frames.filter((frame) => frame.split === 'test').map((frame) => frame.name),
    ['view 0.png', 'view 8.png'],
  );
  t.match(text.frames[0]!.camera, { focal: [20, 20], center: [8, 6], distortion: { model: 'opencv', k1: 0.05 } });
  t.match(text.frames[1]!.camera.distortion, { k1: 0.1, k2: 0.01, p1: 0.001, p2: 0.002 });
  t.same([...(await text.frames[3]!.image()).rgba.subarray(0, 4)], [3, 0, 0, 255]);
});

test("a world point falls where COLMAP's formulas put it", async (t) => {
  const folder = sceneFolder(t);
  await writeText(folder, join(folder, 'sparse/0'));
  const { frames } = await openScene(folder);
  // A quarter turn around z: (1, 2, 3) → (−2, 1, 3); plus (1, 0.5, 4): (−1, 1.5, 7), x right, y down, z ahead.
  const [x, y] = [-1 / 7, 1.5 / 7];
  const r2 = x * x + y * y;
  const radial = 1 + 0.1 * r2 + 0.01 * r2 * r2;
  const u = x * radial + 2 * 0.001 * x * y + 0.002 * (r2 + 2 * x * x);
  const v = y * radial + 0.001 * (r2 + 2 * y * y) + 2 * 0.002 * x * y;
  const { pixels, depths } = projectPoints(frames[1]!.camera, Float32Array.of(1, 2, 3));
  t.ok(Math.hypot(pixels[0]! - (8 + 20 * u), pixels[1]! - (6 + 22 * v)) < 1e-4, String(pixels));
  t.ok(Math.abs(depths[0]! - 7) < 1e-5);
});

test('damaged models are refused', async (t) => {
  const folder = sceneFolder(t);
  const model = join(folder, 'sparse/0');
  await writeText(folder, model);
  const cameras = join(model, 'cameras.txt');
  for (const [line, reason] of [
    ['1 MIRROR 16 12 20', /unknown model "MIRROR"/],
    ['1 FOV 16 12 20 20 8 6 0.9', /FOV is not supported/],
    ['1 OPENCV 16 12 20 22 8', /takes 8 parameters, 3 are given/],
    ['1 PINHOLE 16 12 20 nan 8 6', /"nan" is not a finite number/],
  ] as const) {
    writeFileSync(cameras, line);
    await errorOf(t, openScene(folder), 'ERR_DAF_BAD_DATA', reason);
  }
  writeFileSync(cameras, CAMERAS[0]!);
  await errorOf(t, openScene(folder), 'ERR_DAF_BAD_DATA', /no camera 7/);
  writeFileSync(cameras, CAMERAS.join('\n'));
  writeFileSync(join(model, 'images.txt'), '1 1 0 0 0 0 0\n\n');
  await errorOf(t, openScene(folder), 'ERR_DAF_BAD_DATA', /takes 10 words/);
  writeFileSync(join(model, 'images.txt'), '1 1 0 0 0 0 0 4 1 gone.png\n\n');
  await errorOf(t, openScene(folder), 'ERR_DAF_NOT_FOUND', /gone\.png/);

  writeBinary(model);
  for (const name of ['cameras.bin', 'images.bin', 'points3D.bin']) {
    const whole = readFileSync(join(model, name));
    for (let length = 0; length < whole.length; length += 5) {
      writeFileSync(join(model, name), whole.subarray(0, length));
      await errorOf(t, openScene(folder), 'ERR_DAF_BAD_DATA', /cut off/);
    }
    writeFileSync(join(model, name), Buffer.alloc(64, 0xff));
    await errorOf(t, openScene(folder), 'ERR_DAF_BAD_DATA');
    writeFileSync(join(model, name), whole);
  }
  t.equal((await openScene(folder)).frames.length, 9);
});
