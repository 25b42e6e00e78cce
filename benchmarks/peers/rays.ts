import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { cameraPosition, pixelRays } from '#daf/fields/camera.js';
import type { Scene, SceneFrame } from '#daf/fields/scenes/types.js';
import type { RayFiles } from './torch.js';

/** Writes the rays of all pixels of a scene, with their colours over `background`. */
export async function writeRays(scene: Scene, background: readonly number[], folder: string): Promise<RayFiles> {
  const train = join(folder, 'train.rays');
  const test = join(folder, 'test.rays');
  await writeSplit(train, scene, 'train', background);
  await writeSplit(test, scene, 'test', background);
  return { train, test, boxMin: scene.box.min, boxMax: scene.box.max, background };
}

async function writeSplit(path: string, { frames }: Scene, split: SceneFrame['split'], background: readonly number[]) {
  const file = openSync(path, 'w');
  try {
    for (const frame of frames.filter((each) => each.split === split)) writeSync(file, await raysOf(frame, background));
  } finally {
    closeSync(file);
  }
}

async function raysOf({ camera, image }: SceneFrame, background: readonly number[]): Promise<Float32Array> {
  const { width, height, rgba } = await image();
  const pixels = Float32Array.from(
    { length: 2 * width * height },
    (_, i) => 0.5 + (i % 2 === 0 ? (i / 2) % width : Math.floor(i / 2 / width)),
  );
  const directions = pixelRays(camera, pixels);
  const origin = cameraPosition(camera);
  const out = new Float32Array(9 * width * height);
  for (let i = 0; i < width * height; i++) {
    out.set(origin, 9 * i);
    out.set(directions.subarray(3 * i, 3 * i + 3), 9 * i + 3);
    const alpha = (rgba[4 * i + 3] as number) / 255;
    for (let c = 0; c < 3; c++)
      out[9 * i + 6 + c] = (alpha * (rgba[4 * i + c] as number)) / 255 + (1 - alpha) * (background[c] as number);
  }
  return out;
}
