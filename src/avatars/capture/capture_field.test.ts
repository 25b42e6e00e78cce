import { join } from 'node:path';
import sharp from 'sharp';
import t, { type Test } from 'tap';
import { cameraPosition } from '../../fields/camera.js';
import { Field } from '../../fields/index.js';
import { sceneFolder, writeJson } from '../../fields/scenes/scenes.test.fixture.js';
import { orbitCamera, projectPoint, rotationFromAngles } from '../camera.js';
import { avatarGlb } from '../export/files.js';
import { spheres } from '../export/spheres.test.fixture.js';
import type { Observation } from '../observation.js';
import { drawSurface, surfaceOfGlb } from '../surface.js';
import type { Similarity } from './align.js';
import { captureHead } from './capture_field.js';
import { cameraIn } from './head_scene.js';

const SIZE = 96;
const VIEWS = 12;
const LEVEL = { steps: 300, samples: 4096, resolution: 40, faces: 2000, texture: 256 };

const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#c04020' } })
  .png()
  .toBuffer();
/** A sphere of 9 cm around the origin. */
const surface = await surfaceOfGlb(await avatarGlb(spheres(), { bytes: new Uint8Array(png), mime: 'image/png' }, 'p'));

/** From head space into a capture whose unit is some 7 cm and whose axes lie otherwise. */
const away: Similarity = { scale: 0.14, rotation: [...rotationFromAngles(1, 0.5, -2)], translation: [2, -1, 0.5] };

/** On the front of the sphere. */
const landmarks = Array.from({ length: 68 }, (_, i) => {
  const [x, y] = [6 * Math.sin(i * 1.7), 6 * Math.cos(i * 2.3)];
  return [x, y, Math.sqrt(81 - x * x - y * y)];
});

/** Pictures of the sphere from all around, as a capture; `shift` moves the landmarks said to be seen, in pixels. */
async function writeCapture(t: Test, shift: (view: number, point: number) => number): Promise<Observation[]> {
  const folder = sceneFolder(t);
  const frames = [];
  const observations: Observation[] = [];
  for (let view = 0; view < VIEWS; view++) {
    const camera = orbitCamera(surface.box, (2 * Math.PI * view) / VIEWS, 0.5 * Math.sin(view), SIZE, 0.7);
    const name = `${view}.png`;
    const { rgba } = drawSurface(surface, camera, 'texture');
    await sharp(rgba, { raw: { width: SIZE, height: SIZE, channels: 4 } }).toFile(join(folder, name));
    const moved = cameraIn(away, camera);
    const [x, y, z] = cameraPosition(moved);
    const r = moved.rotation;
    const matrix = [
      [r[0], r[3], r[6], x],
      [r[1], r[4], r[7], y],
      [r[2], r[5], r[8], z],
      [0, 0, 0, 1],
    ];
    frames.push({ file_path: name, transform_matrix: matrix });
    if (view > 2) continue;
    const pixels = landmarks.flatMap((point, i) =>
      projectPoint(camera, point)!
        .slice(0, 2)
        .map((value) => value + shift(view, i)),
    );
    const capture = { scene: join(folder, 'transforms.json'), frame: name, landmarks: pixels };
    observations.push({ capture } as Partial<Observation> as Observation);
  }
  const { focal, center } = orbitCamera(surface.box, 0, 0, SIZE, 0.7);
  const lens = { fl_x: focal, fl_y: focal, cx: center[0], cy: center[1], w: SIZE, h: SIZE };
  writeJson(join(folder, 'transforms.json'), { ...lens, frames });
  return observations;
}

const shape = { positions: surface.mesh.positions, box: surface.box, landmarks: landmarks.flat(), isEmpty: () => false };
const options = () => ({ level: LEVEL, seed: 1, control: new Int32Array(new SharedArrayBuffer(16)), onProgress: () => {} });

t.test('a capture becomes a field and a surface in head space, whatever its own frame and unit', async (t) => {
  const observations = await writeCapture(t, () => 0);
  const head = await captureHead(observations, shape, options());
  t.equal(head.steps, LEVEL.steps);
  t.ok(head.report.residual < 0.05, `${head.report.residual} cm`);
  t.ok(Math.abs(head.report.centimetresPerUnit * away.scale - 1) < 0.01);
  t.equal(head.report.frames, VIEWS - 2, 'every eighth is held out');
  const taken = await surfaceOfGlb(head.glb);
  for (const k of [0, 1, 2] as const) {
    t.ok(
      Math.abs(taken.box.min[k] + 9) < 1 && Math.abs(taken.box.max[k] - 9) < 1,
      `${taken.box.min[k]} … ${taken.box.max[k]} cm`,
    );
  }
  using field = Field.load(head.field);
  const { rgba } = field.render(orbitCamera(surface.box, 0.3, 0.2, 64, 0.7));
  const at = (x: number, y: number): number[] => [...rgba.subarray(4 * (64 * y + x), 4 * (64 * y + x) + 4)];
  const [r, g, b, alpha] = at(32, 32) as [number, number, number, number];
  t.ok(alpha > 240 && Math.abs(r - 0xc0) < 24 && Math.abs(g - 0x40) < 24 && Math.abs(b - 0x20) < 24, `${at(32, 32)}`);
  t.ok(at(2, 2)[3]! < 8, 'nothing beside it');
});

t.test('poses that do not agree with the faces are said, and a caller can end it', async (t) => {
  const wrong = await writeCapture(t, (view, point) => 25 * Math.sin(12.9 * view + 78.2 * point));
  await t.rejects(captureHead(wrong, shape, options()), { code: 'ERR_DAF_BAD_DATA', message: /cm from where its poses say/ });
  await t.rejects(captureHead(wrong.slice(0, 1), shape, options()), { code: 'ERR_DAF_BAD_DATA', message: /too few/ });
  const right = await writeCapture(t, () => 0);
  const onProgress = (): never => {
    throw new Error('enough');
  };
  await t.rejects(captureHead(right, shape, { ...options(), onProgress }), /enough/);
});
