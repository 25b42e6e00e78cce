import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import { DafError } from '../../core/contracts/errors.js';
import { loadSharp } from '../../core/sharp.js';
import { npy, zip } from '../formats/npz.test.fixture.js';

/** Makes small captures of every format on the disk. */

export function sceneFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'daf-scene-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A picture whose pixels are all `color` (1 to 4 channels). */
export async function writePicture(file: string, width: number, height: number, color: readonly number[]): Promise<void> {
  const sharp = await loadSharp();
  mkdirSync(dirname(file), { recursive: true });
  const data = Buffer.from(Array.from({ length: width * height }, () => color).flat());
  await sharp(data, { raw: { width, height, channels: color.length as 3 } }).toFile(file);
}

export function writeJson(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(value));
}

/** Camera to world, `distance` from the origin in the direction of `yaw` around z, looking at the origin, z up. */
export function orbitMatrix(yaw: number, distance: number): number[][] {
  const [c, s] = [Math.cos(yaw), Math.sin(yaw)];
  return [
    [-s, 0, c, c * distance],
    [c, 0, s, s * distance],
    [0, 1, 0, 0],
    [0, 0, 0, 1],
  ];
}

export interface TransformsInput {
  readonly count?: number;
  readonly top?: Readonly<Record<string, unknown>>;
  readonly frame?: (index: number) => Readonly<Record<string, unknown>>;
  readonly color?: readonly number[];
  readonly size?: readonly [number, number];
}

/** `transforms.json` with PNGs around the origin, named in an order that is not that of the list. */
export async function writeTransforms(folder: string, input: TransformsInput = {}): Promise<void> {
  const { count = 10, top = { camera_angle_x: 0.6911 }, frame = () => ({}), color = [200, 100, 50], size = [16, 12] } = input;
  const frames = [];
  for (let i = 0; i < count; i++) {
    const name = `images/${String((i * 7) % count).padStart(3, '0')}.png`;
    await writePicture(join(folder, name), ...size, color);
    frames.push({ file_path: name, transform_matrix: orbitMatrix(i, 4), ...frame(i) });
  }
  writeJson(join(folder, 'transforms.json'), { ...top, frames });
}

/** Blender's three files; pictures are RGBA, their paths without extension. */
export async function writeBlender(folder: string, counts = { train: 4, val: 1, test: 2 }): Promise<void> {
  for (const [split, count] of Object.entries(counts)) {
    const frames = [];
    for (let i = 0; i < count; i++) {
      await writePicture(join(folder, split, `r_${i}.png`), 16, 16, [10, 20, 30, 0]);
      frames.push({ file_path: `./${split}/r_${i}`, rotation: 0.01, transform_matrix: orbitMatrix(i, 4.0311) });
    }
    writeJson(join(folder, `transforms_${split}.json`), { camera_angle_x: 0.6911112070083618, frames });
  }
}

export function writeTinyNerf(file: string, count = 10, size = 4): void {
  const poses = Array.from({ length: count }, (_, i) => orbitMatrix(i, 4)).flat(2);
  const images = Array.from({ length: count * size * size * 3 }, (_, i) => Math.floor(i / (size * size * 3)) / count);
  writeFileSync(
    file,
    zip({
      'images.npy': npy({ descr: '<f4', shape: [count, size, size, 3], data: new Uint8Array(Float32Array.from(images).buffer) }),
      'poses.npy': npy({ descr: '<f4', shape: [count, 4, 4], data: new Uint8Array(Float32Array.from(poses).buffer) }),
      'focal.npy': npy({ descr: '<f8', shape: [], data: new Uint8Array(Float64Array.of(5.5).buffer) }),
    }),
  );
}

/** The error that a promise ends with. */
export async function errorOf(t: Test, promise: Promise<unknown>, code: string, text: RegExp = /./): Promise<void> {
  try {
    await promise;
  } catch (error) {
    t.ok(DafError.is(error), String(error));
    t.equal((error as DafError).code, code, (error as DafError).message);
    t.match((error as DafError).message, text);
    return;
  }
  t.fail(`expected ${code}`);
}
