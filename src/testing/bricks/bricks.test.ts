import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { projectPoints } from '../../fields/camera.js';
import { openScene } from '../../fields/scenes/open.js';
import { BrickPainter } from './draw.js';
import { brickModel } from './model.js';
import { enter, newTrace } from './solid.js';
import { writeBrickSet } from './write-set.js';

test('rays enter boxes and cylinders where geometry says', (t) => {
  const trace = newTrace();
  const cast = (kind: 'box' | 'cylinder', origin: number[], direction: number[]): unknown => {
    trace.origin.set(origin);
    trace.direction.set(direction);
    trace.distance = Number.POSITIVE_INFINITY;
    return (
      enter({ kind, min: [-1, -1, 0], max: [1, 1, 2] }, trace) &&
      [trace.distance, ...trace.normal].map((v) => Math.round(v * 1e9) / 1e9)
    );
  };
  t.same(cast('box', [-5, 0.5, 1], [1, 0, 0]), [4, -1, 0, 0]);
  t.same(cast('box', [0, 0, 5], [0, 0, -1]), [3, 0, 0, 1]);
  t.equal(cast('box', [-5, 1.5, 1], [1, 0, 0]), false);
  t.equal(cast('box', [5, 0.5, 1], [1, 0, 0]), false, 'behind');
  t.same(cast('cylinder', [0.9, 0, 5], [0, 0, -1]), [3, 0, 0, 1]);
  t.equal(cast('cylinder', [0.9, 0.9, 5], [0, 0, -1]), false, 'beside the lid');
  t.same(cast('cylinder', [-5, 0.6, 1], [1, 0, 0]), [4.2, -0.8, 0.6, 0]);
  t.equal(cast('cylinder', [-5, 0, 3], [1, 0, 0]), false, 'above');
  t.end();
});

test('a drawn set opens as a scene whose pictures are those of its cameras', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'daf-bricks-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  await writeBrickSet(folder, { size: 48, train: 12, val: 1, test: 2 });
  const scene = await openScene(folder);
  const count = (split: string): number => scene.frames.filter((frame) => frame.split === split).length;
  t.same(['train', 'val', 'test'].map(count), [12, 1, 2]);
  t.same([scene.hasAlpha, scene.unbounded], [true, false]);
  for (const { min, max } of brickModel().flatMap((brick) => brick.solids)) {
    const inside = [0, 1, 2].every((axis) => min[axis]! > scene.box.min[axis]! && max[axis]! < scene.box.max[axis]!);
    if (!inside) t.fail(`${min} … ${max} is outside ${JSON.stringify(scene.box)}`);
  }
  t.ok(Math.max(...scene.box.max) < 1.5, `a box no larger than it must be: ${scene.box.max}`);
  for (const frame of scene.frames) {
    const { rgba } = await frame.image();
    t.same(new BrickPainter().draw(frame.camera), rgba, frame.name);
    const solid = rgba.filter((value, i) => i % 4 === 3 && value === 255).length / (48 * 48);
    t.ok(solid > 0.1 && solid < 0.6, `${frame.name}: ${solid} of the picture is solid`);
    const { pixels } = projectPoints(frame.camera, Float32Array.of(0, 0, -0.43));
    t.ok(rgba[(Math.floor(pixels[1]!) * 48 + Math.floor(pixels[0]!)) * 4 + 3] === 255, 'the middle is covered');
  }
});
