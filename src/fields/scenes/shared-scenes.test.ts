import { join } from 'node:path';
import { test } from 'tap';
import { sharedData } from '../../testing/shared-data.test.fixture.js';
import { projectPoints } from '../camera.js';
import type { FieldCamera } from '../types.js';
import { openScene } from './open.js';
import type { Scene } from './types.js';

const shared = sharedData();
const skip = shared === null ? 'no shared data' : false;
const open = (name: string): Promise<Scene> => openScene(join(shared!, 'scenes', name));

/** Median over all points and views of the mean absolute difference of red, green and blue, of 255. */
async function colorError(scene: Scene, change: (camera: FieldCamera) => FieldCamera = (camera) => camera): Promise<number> {
  const errors: number[] = [];
  const { positions, colors } = scene.points!;
  for (const frame of scene.frames) {
    const { rgba, width, height } = await frame.image();
    const { pixels } = projectPoints(change(frame.camera), positions);
    for (let i = 0; i < pixels.length / 2; i++) {
      const [x, y] = [Math.floor(pixels[2 * i]!), Math.floor(pixels[2 * i + 1]!)];
      if (!(x >= 0 && y >= 0 && x < width && y < height)) continue;
      const at = (y * width + x) * 4;
      errors.push([0, 1, 2].reduce((sum, c) => sum + Math.abs(rgba[at + c]! - colors![3 * i + c]!), 0) / 3);
    }
  }
  return errors.sort((a, b) => a - b)[Math.floor(errors.length / 2)]!;
}

function withoutLens({ distortion: _, ...camera }: FieldCamera): FieldCamera {
  return camera;
}

test('reconstructed points have the colours of the pixels they fall on', { skip }, async (t) => {
  const head = await open('head-fangzhou');
  const right = await colorError(head);
  t.ok(right <= 12, `head-fangzhou: ${right}`);
  t.ok((await colorError(head, withoutLens)) > 15, 'the lens matters');
  const square = (camera: FieldCamera): FieldCamera => ({ ...camera, focal: (camera.focal as readonly number[])[0]! });
  t.ok((await colorError(head, square)) > 20, 'so do its pixels that are not square');
  const face = await colorError(await open('face-in2n'));
  t.ok(face <= 19, `face-in2n: ${face}`);
});

test('the shared scenes open as their origins describe them', { skip }, async (t) => {
  const counts = async (name: string): Promise<number[]> => {
    const { frames } = await open(name);
    return ['train', 'test'].map((split) => frames.filter((frame) => frame.split === split).length);
  };
  t.same(await counts('tiny-lego'), [100, 6]);
  t.same(await counts('face-in2n'), [56, 9]);
  t.same(await counts('head-fangzhou'), [87, 13]);
  t.same(await counts('fox-half'), [43, 7]);
  const lego = await open('tiny-lego');
  t.same([lego.unbounded, lego.background, lego.box.max], [false, [0, 0, 0], [1.5, 1.5, 1.5]]);
  const fox = await open('fox-half');
  t.same([fox.unbounded, fox.frames[0]!.camera.width, fox.frames[0]!.camera.height], [true, 540, 960]);
});
