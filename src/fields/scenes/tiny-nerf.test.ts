import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { npy, zip } from '../formats/npz.test.fixture.js';
import { openScene } from './open.js';
import { errorOf, sceneFolder, writeTinyNerf } from './scenes.test.fixture.js';

test('the last six views are held out, before black', async (t) => {
  const file = join(sceneFolder(t), 'tiny_nerf_data.npz');
  writeTinyNerf(file);
  const scene = await openScene(file);
  t.same(
    scene.frames.map((frame) => frame.split),
    [...Array(4).fill('train'), ...Array(6).fill('test')],
  );
  t.same([scene.hasAlpha, scene.unbounded, scene.background], [false, false, [0, 0, 0]]);
  t.match(scene.frames[3]!.camera, { focal: [5.5, 5.5], center: [2, 2], width: 4, height: 4 });
  const { rgba } = await scene.frames[3]!.image();
  t.same([...rgba.subarray(0, 5)], [77, 77, 77, 255, 77], '0.3 of 255');
});

test('arrays of other shapes are refused', async (t) => {
  const folder = sceneFolder(t);
  const file = join(folder, 'tiny_nerf_data.npz');
  const bytes = (shape: number[]): Uint8Array =>
    npy({ descr: '<f4', shape, data: new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)) });
  const write = (images: number[], poses: number[]): Promise<unknown> => {
    writeFileSync(file, zip({ 'images.npy': bytes(images), 'poses.npy': bytes(poses), 'focal.npy': bytes([1]) }));
    return openScene(folder);
  };
  await errorOf(t, write([8, 4, 4], [8, 4, 4]), 'ERR_DAF_BAD_DATA', /images of shape/);
  await errorOf(t, write([8, 4, 4, 3], [7, 4, 4]), 'ERR_DAF_BAD_DATA', /poses of shape/);
  await errorOf(t, write([6, 4, 4, 3], [6, 4, 4]), 'ERR_DAF_BAD_DATA', /held out/);
  await errorOf(t, write([8, 4, 4, 3], [8, 4, 4]), 'ERR_DAF_BAD_DATA', /axes of its pose|focal length/);
  writeFileSync(file, zip({ 'images.npy': bytes([1]) }));
  await errorOf(t, openScene(file), 'ERR_DAF_BAD_DATA', /not a scene/);
  await errorOf(t, openScene(folder), 'ERR_DAF_BAD_DATA', /no array "poses"/);
});
