import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { cameraPosition, projectPoints } from '../camera.js';
import type { FieldCamera, Vector3 } from '../types.js';
import { lookAt, type Orbit, orbitOfBox, orbitOfCameras, orbitPath, spiralPath } from './orbit.js';
import { planShot, type ShotOptions } from './shot.js';
import { length, subtract } from './vectors.js';

const size = { width: 80, height: 60 };
const box = { min: [-1, -2, 0], max: [3, 2, 2] } as const;
const middle: Vector3 = [1, 0, 1];

function near(t: Test, found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number, what: string): void {
  const worst = Math.max(...Array.from(wanted, (value, i) => Math.abs(found[i]! - value)));
  t.ok(worst <= tolerance, `${what}: ${Array.from(found)} instead of ${Array.from(wanted)}`);
}

/** Where a point falls. */
const pixel = (camera: FieldCamera, point: Vector3): Float32Array => projectPoints(camera, Float32Array.from(point)).pixels;

test('an orbit looks at its centre from its distance, upright, counter-clockwise from the front', (t) => {
  const orbit: Orbit = { ...orbitOfBox(box), elevation: 30, distance: 10 };
  const path = orbitPath(orbit, 4, size);
  t.equal(path.length, 4);
  for (const camera of path) {
    near(t, [length(subtract(cameraPosition(camera), middle))], [10], 1e-6, 'distance');
    near(t, [cameraPosition(camera)[2]], [1 + 10 * Math.sin(Math.PI / 6)], 1e-6, 'height');
    near(t, pixel(camera, middle), [40, 30], 1e-3, 'the centre is in the middle');
    const above = pixel(camera, [1, 0, 1.5]);
    near(t, [above[0]!], [40], 1e-3, 'what is above is above');
    t.ok(above[1]! < 30);
  }
  const level = 10 * Math.cos(Math.PI / 6);
  near(t, cameraPosition(path[0]!), [1, -level, 6], 1e-6, 'the front is −y');
  near(t, cameraPosition(path[1]!), [1 + level, 0, 6], 1e-6, 'then +x');
  t.ok(pixel(path[0]!, [2, 0, 1])[0]! > 40, 'from the front, +x is on the right');
  t.end();
});

test('a box is seen whole from its orbit, whichever axis is up', (t) => {
  for (const up of ['y', 'z'] as const) {
    for (const camera of orbitPath(orbitOfBox(box, up), 7, size)) {
      for (let corner = 0; corner < 8; corner++) {
        const at = [0, 1, 2].map((a) => ((corner >> a) & 1 ? box.max : box.min)[a]!) as unknown as Vector3;
        const [x, y] = pixel(camera, at);
        t.ok(x! >= 0 && x! <= 80 && y! >= 0 && y! <= 60, `${at} falls on ${x}, ${y}`);
      }
    }
  }
  near(
    t,
    cameraPosition(orbitPath({ ...orbitOfBox(box, 'y'), elevation: 0, distance: 5 }, 1, size)[0]!),
    [1, 0, 6],
    1e-6,
    'front +z',
  );
  t.end();
});

test('straight above and below the picture stays upright', (t) => {
  const orbit = { ...orbitOfBox(box), distance: 5 };
  for (const elevation of [90, -90]) {
    const [camera] = orbitPath({ ...orbit, elevation }, 1, size);
    near(t, pixel(camera!, middle), [40, 30], 1e-3, 'centre');
    t.ok(pixel(camera!, [2, 0, 1])[0]! > 41, 'right is still right');
  }
  t.end();
});

test('an orbit of cameras is that on which they stand', (t) => {
  const made: Orbit = {
    center: [0.5, -1, 2],
    distance: 3,
    elevation: 20,
    up: [0, 0, 1],
    front: [Math.SQRT1_2, Math.SQRT1_2, 0],
    fieldOfView: 50,
  };
  const arc = orbitPath(made, 24, size).filter((_, i) => i < 4 || i > 20);
  const found = orbitOfCameras(arc);
  near(t, found.center, made.center, 1e-3, 'centre');
  near(t, [found.distance, found.elevation, found.fieldOfView], [3, 20, 50], 0.1, 'distance, elevation, angle of view');
  near(t, found.front, made.front, 2e-3, 'front');
  t.ok(found.up[2] > 0.9);
  const all = orbitOfCameras(orbitPath(made, 12, size));
  near(t, all.center, made.center, 1e-3, 'all around');
  near(t, all.up, [0, 0, 1], 1e-6, 'all around: up');
  const one = orbitOfCameras([lookAt(made, [0.5, -4, 2], size)]);
  near(t, pixel(orbitPath(one, 1, size)[0]!, one.center), [40, 30], 1e-3, 'a single camera has a centre ahead');
  t.throws(() => orbitOfCameras([]), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.end();
});

test('a spiral stays at the front', (t) => {
  const orbit = { ...orbitOfBox(box), elevation: 10, distance: 6 };
  const path = spiralPath(orbit, 16, size);
  for (const camera of path) {
    near(t, pixel(camera, middle), [40, 30], 1e-3, 'centre');
    t.ok(cameraPosition(camera)[1] < -4);
  }
  t.equal(
    new Set(
      path.map((camera) =>
        cameraPosition(camera)
          .map((value) => value.toFixed(6))
          .join(),
      ),
    ).size,
    16,
  );
  t.end();
});

const shown = { box, learnedBackground: false };

test('a shot is what its texts say', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'daf-shot-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const poses = join(folder, 'poses.json');
  const matrix = (x: number) => [
    [1, 0, 0, x],
    [0, 1, 0, 0],
    [0, 0, 1, 5],
    [0, 0, 0, 1],
  ];
  const frames = [3, 1, 2, 0].map((x) => ({ file_path: `none/${x}`, transform_matrix: matrix(x) }));
  writeFileSync(poses, JSON.stringify({ w: 40, h: 20, fl_x: 50, cx: 19, frames }));
  const file = await planShot(shown, { path: poses, background: '1,0.5,0' });
  t.same(
    file.cameras.map((camera) => cameraPosition(camera)[0]),
    [3, 1, 2, 0],
    'in the order of the file, without its pictures',
  );
  t.match(file.cameras[0], { width: 40, height: 20, focal: [50, 50], center: [19, 10] });
  t.same(file.look, { background: [1, 0.5, 0], precision: 'fp32' });
  const learned = await planShot({ box, learnedBackground: true }, { path: poses, background: 'learned' });
  t.equal(learned.look.background, 'learned');
  const rays = { samplesPerRay: '192', importance: '32,64', near: '2', far: '6.5', samples: '64' };
  t.same((await planShot(shown, { path: poses, ...rays })).look, {
    ...{ background: null, precision: 'fp32', samples: 64, samplesPerRay: 192, near: 2, far: 6.5 },
    importance: { coarse: 32, fine: 64 },
  });
  t.equal((await planShot(shown, { path: poses, importance: 'true' })).look.importance, true);
  t.match((await planShot(shown, { path: poses, size: '80x40', frames: '2' })).cameras, [
    { width: 80, focal: [100, 100], center: [38, 20] },
    { width: 80 },
  ]);
  t.equal((await planShot(shown, {})).cameras.length, 60);
  for (const wrong of [
    { frames: '0' },
    { frames: 'x' },
    { size: '0' },
    { size: '5x' },
    { up: 'x' },
    { zoom: '0' },
    { elevation: '91' },
    { elevation: '' },
    { background: 'pink' },
    { background: '1,2,3' },
    { background: '1,,1' },
    { background: 'learned' },
    { samples: '7' },
    { samplesPerRay: '0' },
    { importance: '64' },
    { importance: '0,8' },
    { importance: '8,8,8' },
    { near: '-1' },
    { far: 'x' },
    { near: '3', far: '3' },
    { precision: 'fp16' },
    { farmes: '3' } as ShotOptions,
  ]) {
    await t.rejects(planShot(shown, wrong), { code: 'ERR_DAF_BAD_OPTION' }, JSON.stringify(wrong));
    const flag = { named: (option: string) => `<${option}>` };
    if (!('farmes' in wrong)) await t.rejects(planShot(shown, wrong, flag), { message: /<\w+>/ }, JSON.stringify(wrong));
  }
  await t.rejects(planShot(shown, { path: join(folder, 'none.json') }), { code: 'ERR_DAF_NOT_FOUND' });
  await t.rejects(planShot(shown, { path: poses, size: '40x40' }), { code: 'ERR_DAF_BAD_DATA' }, 'another shape');
  writeFileSync(poses, '{"frames": []}');
  await t.rejects(planShot(shown, { path: poses }), { code: 'ERR_DAF_BAD_DATA' });
  await t.rejects(planShot(shown, { around: folder }), { code: 'ERR_DAF_BAD_DATA' });
});
