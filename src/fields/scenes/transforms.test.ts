import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { cameraPosition, projectPoints } from '../camera.js';
import { openScene } from './open.js';
import {
  errorOf,
  orbitMatrix,
  sceneFolder,
  writeBlender,
  writeJson,
  writePicture,
  writeTransforms,
} from './scenes.test.fixture.js';

test('frames come by name, every eighth is held out, poses and angles become cameras', async (t) => {
  const folder = sceneFolder(t);
  await writeTransforms(folder);
  const scene = await openScene(folder);
  t.equal(scene.format, 'transforms');
  t.same(
    scene.frames.map((frame) => frame.split === 'test'),
    [true, false, false, false, false, false, false, false, true, false],
  );
  t.same(
    scene.frames.map((frame) => frame.name),
    scene.frames.map((frame) => frame.name).toSorted(),
  );
  const { camera } = scene.frames[7]!; // the second of the list: yaw 1
  t.ok(Math.hypot(...cameraPosition(camera).map((v, a) => v - [Math.cos(1) * 4, Math.sin(1) * 4, 0][a]!)) < 1e-9);
  // fl_x = 8 / tan(0.34555), square pixels, the centre in the middle; one unit up and one to the right of the camera.
  const focal = 8 / Math.tan(0.34555);
  const { pixels } = projectPoints(camera, Float32Array.of(-Math.sin(1), Math.cos(1), 1));
  t.ok(Math.hypot(pixels[0]! - (8 + focal / 4), pixels[1]! - (6 - focal / 4)) < 1e-4, String(pixels));
  t.equal(scene.hasAlpha, false);
  t.equal(scene.unbounded, true, 'opaque pictures have a background');
  t.equal(scene.background, null);
  const image = await scene.frames[1]!.image();
  t.same([image.width, image.height, ...image.rgba.subarray(0, 4)], [16, 12, 200, 100, 50, 255]);
  t.equal(image.rgba.length, 16 * 12 * 4);
});

test("a frame's own intrinsics come first; lengths scale with the picture", async (t) => {
  const folder = sceneFolder(t);
  await writeTransforms(folder, {
    top: { fl_x: 40, fl_y: 44, cx: 15, cy: 13, w: 32, h: 24, k1: 0.1, p2: 0.02, camera_model: 'OPENCV' },
    frame: (i) => (i === 3 ? { fl_x: 80, k1: 0.3, camera_model: 'OPENCV_FISHEYE' } : {}),
  });
  const { frames } = await openScene(folder);
  const [usual, own] = ['images/000.png', 'images/001.png'].map((name) => frames.find((frame) => frame.name === name)!.camera);
  t.same(usual!.focal, [20, 22], 'pictures of half the stated size');
  t.same(usual!.center, [7.5, 6.5]);
  t.match(usual!.distortion, { model: 'opencv', k1: 0.1, p2: 0.02 });
  t.same(own!.focal, [40, 22]);
  t.same(own!.distortion, { model: 'opencv_fisheye', k1: 0.3, k2: 0, k3: 0, k4: 0 });
});

test('masks are read, stated splits and points are taken', async (t) => {
  const folder = sceneFolder(t);
  await writePicture(join(folder, 'mask.png'), 16, 12, [0]);
  await writeTransforms(folder, {
    count: 3,
    top: {
      camera_angle_x: 0.7,
      train_filenames: ['images/000.png', 'images/001.png'],
      test_filenames: ['images/002.png'],
      ply_file_path: 'p.ply',
    },
    frame: () => ({ mask_path: 'mask.png' }),
  });
  writeFileSync(
    join(folder, 'p.ply'),
    'ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nproperty float z\nend_header\n1 2 3\n',
  );
  const scene = await openScene(folder);
  t.same(
    scene.frames.map((frame) => frame.split),
    ['train', 'train', 'test'],
  );
  t.same([...scene.points!.positions], [1, 2, 3]);
  const { mask } = await scene.frames[0]!.image();
  t.equal(mask!.length, 16 * 12);
  t.ok(mask!.every((value) => value === 0));
  t.same(
    (await openScene(folder, { split: 'test' })).frames.map((frame) => frame.name),
    ['images/002.png'],
  );
});

test("instant-ngp's cube is kept", async (t) => {
  const folder = sceneFolder(t);
  await writeTransforms(folder, { top: { camera_angle_x: 0.7, aabb_scale: 1, scale: 0.25, offset: [0.5, 0.5, 0.75] } });
  const closed = await openScene(folder);
  t.same(closed.box, { min: [-2, -2, -3], max: [2, 2, 1] });
  t.equal(closed.unbounded, false);
  t.same(closed.background, [0, 0, 0]);
  await writeTransforms(folder, { top: { camera_angle_x: 0.7, aabb_scale: 16 } });
  const open = await openScene(folder);
  t.equal(open.unbounded, true);
  t.ok(open.box.max[0] < 24.3 && open.box.min[0] > -24.3, 'within 16 / 0.33 / 2');
});

test('a Blender set brings its splits; its held-out pictures stay closed until they are asked for', async (t) => {
  const folder = sceneFolder(t);
  await writeBlender(folder);
  for (const name of ['test/r_0.png', 'test/r_1.png', 'val/r_0.png']) writeFileSync(join(folder, name), 'not a picture');
  const scene = await openScene(folder);
  t.equal(scene.format, 'blender');
  t.same(
    scene.frames.map((frame) => frame.split),
    ['test', 'test', 'train', 'train', 'train', 'train', 'val'],
  );
  for (const frame of scene.frames) {
    if (frame.split === 'train') t.same([...(await frame.image()).rgba.subarray(0, 4)], [10, 20, 30, 0]);
    else await errorOf(t, frame.image(), 'ERR_DAF_BAD_IMAGE');
    t.ok(Math.abs((frame.camera.focal as readonly number[])[0]! - 8 / Math.tan(0.6911112070083618 / 2)) < 1e-9);
  }
  t.same([scene.hasAlpha, scene.unbounded, scene.background], [true, false, [1, 1, 1]]);
  t.same(scene.box, { min: [-1.5, -1.5, -1.5], max: [1.5, 1.5, 1.5] });
  t.same((await openScene(folder, { background: 'black' })).background, [0, 0, 0]);
});

test('what is wrong is said', async (t) => {
  const folder = sceneFolder(t);
  const json = join(folder, 'transforms.json');
  await errorOf(t, openScene(join(folder, 'none')), 'ERR_DAF_NOT_FOUND');
  await errorOf(t, openScene(folder), 'ERR_DAF_BAD_DATA', /not a scene/);
  const state = (value: unknown): Promise<unknown> => {
    writeJson(json, value);
    return openScene(folder);
  };
  await errorOf(t, state({ frames: [] }), 'ERR_DAF_BAD_DATA', /no frames/);
  await errorOf(t, state([]), 'ERR_DAF_BAD_DATA', /not a JSON object/);
  await errorOf(t, state({ camera_angle_x: 0.7 }), 'ERR_DAF_BAD_DATA', /no list "frames"/);
  await writePicture(join(folder, 'a.png'), 16, 16, [1, 2, 3]);
  await writePicture(join(folder, 'b.png'), 16, 16, [1, 2, 3]);
  const frames = (change: Record<string, unknown> = {}): Record<string, unknown>[] =>
    ['a.png', 'b.png'].map((name, i) => ({ file_path: name, transform_matrix: orbitMatrix(i, 4), ...change }));
  await errorOf(t, state({ camera_angle_x: 0.7, frames: frames({ file_path: 'c.png' }) }), 'ERR_DAF_NOT_FOUND', /c\.png/);
  await errorOf(t, state({ camera_angle_x: 0.7, frames: [frames()[0]] }), 'ERR_DAF_BAD_DATA', /none is for training/);
  await errorOf(t, state({ frames: frames() }), 'ERR_DAF_BAD_DATA', /focal length/);
  await errorOf(t, state({ fl_x: -5, frames: frames() }), 'ERR_DAF_BAD_DATA', /focal length/);
  await errorOf(t, state({ fl_x: 'wide', frames: frames() }), 'ERR_DAF_BAD_DATA', /"fl_x"/);
  await errorOf(
    t,
    state({ camera_angle_x: 0.7, camera_model: 'EQUIRECTANGULAR', frames: frames() }),
    'ERR_DAF_BAD_DATA',
    /EQUIRECTANGULAR/,
  );
  await errorOf(
    t,
    state({ camera_angle_x: 0.7, w: 16, h: 99, frames: frames() }),
    'ERR_DAF_BAD_DATA',
    /16×16 pixels, its camera 16×99/,
  );
  const pose = (rows: unknown): Promise<unknown> => state({ camera_angle_x: 0.7, frames: frames({ transform_matrix: rows }) });
  await errorOf(
    t,
    pose([
      [1, 2],
      [3, 4],
    ]),
    'ERR_DAF_BAD_DATA',
    /4 × 4/,
  );
  await errorOf(t, pose(orbitMatrix(0, 4).map((row) => row.map((v) => (v === 4 ? null : v)))), 'ERR_DAF_BAD_DATA', /not finite/);
  await errorOf(t, pose(orbitMatrix(0, 4).map((row) => [-row[0]!, ...row.slice(1)])), 'ERR_DAF_BAD_DATA', /mirrored/);
  await errorOf(
    t,
    pose([
      [1, 0, 0, 0],
      [1, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ]),
    'ERR_DAF_BAD_DATA',
    /right angles/,
  );
  const far = orbitMatrix(0, 4).map((row, i) => (i === 0 ? [...row.slice(0, 3), 1e300] : row));
  await errorOf(t, pose(far), 'ERR_DAF_BAD_DATA', /no scene box follows/);
  writeFileSync(json, '{"camera_angle_x": 0.7, "frames": [{"file_path": "a.png", "transform_matrix": NaN}]}');
  await errorOf(t, openScene(folder), 'ERR_DAF_BAD_DATA', /not JSON/);
  // A box that no camera looks at.
  writeJson(json, { camera_angle_x: 0.7, frames: frames() });
  const box = { min: [50, 50, 50], max: [51, 51, 51] } as const;
  await errorOf(t, openScene(folder, { box, unbounded: false }), 'ERR_DAF_BAD_DATA', /no training view sees/);
  await errorOf(t, openScene(folder, { boxx: box } as never), 'ERR_DAF_BAD_OPTION');
  await errorOf(t, openScene(folder, { split: 'all', background: [2, 0, 0], unbounded: false }), 'ERR_DAF_BAD_OPTION');
  // Training pictures of two sizes leave that of the held-out one open, unless it is stated.
  await writePicture(join(folder, 'c.png'), 20, 16, [1, 2, 3]);
  const mixed = [...frames(), { file_path: 'c.png', transform_matrix: orbitMatrix(2, 4) }];
  await errorOf(t, state({ camera_angle_x: 0.7, frames: mixed }), 'ERR_DAF_BAD_DATA', /20×16|16×16|different ones/);
  writeFileSync(join(folder, 'b.png'), 'broken');
  await errorOf(t, state({ camera_angle_x: 0.7, frames: frames() }), 'ERR_DAF_BAD_IMAGE');
  rmSync(join(folder, 'b.png'));
});

test('a held-out picture of another size than its camera is refused when it is opened', async (t) => {
  const folder = sceneFolder(t);
  await writeBlender(folder);
  await writePicture(join(folder, 'test/r_1.png'), 8, 8, [1, 2, 3, 4]);
  const scene = await openScene(folder, { split: 'test' });
  t.equal((await scene.frames[0]!.image()).width, 16);
  await errorOf(t, scene.frames[1]!.image(), 'ERR_DAF_BAD_DATA', /8×8 pixels, the camera was made for 16×16/);
});
