import { badData } from '../formats/bad-data.js';
import { toFloats } from '../formats/npy.js';
import { NpzFile } from '../formats/npz.js';
import { poseFromMatrix } from './pose.js';
import type { RawFrame, RawScene } from './raw.js';

export const TINY_NERF_NAMES = ['images', 'poses', 'focal'] as const;
/** The last views, which the set's users hold out: of 106 the first 100 train. */
const TEST_VIEWS = 6;

/**
 * `tiny_nerf_data.npz`: images n × height × width × 3 (or 4) in [0, 1], camera-to-world poses n × 4 × 4, one focal length in pixels.
 * All views lie in one array, which is read at once and kept in bytes.
 */
export function readTinyNerf(path: string): RawScene {
  using file = new NpzFile(path);
  const [images, poses, focal] = TINY_NERF_NAMES.map((name) => file.read(name));
  const [count = 0, height = 0, width = 0, channels = 0] = images!.shape;
  if (
    images!.shape.length !== 4 ||
    (channels !== 3 && channels !== 4) ||
    !(width > 0 && height > 0 && width <= 16384 && height <= 16384)
  ) {
    throw badData(`${path}: images of shape (${images!.shape.join(', ')})`, 'n × height × width × 3');
  }
  if (poses!.shape.join() !== `${count},4,4` && poses!.shape.join() !== `${count},3,4`) {
    throw badData(`${path}: poses of shape (${poses!.shape.join(', ')}) for ${count} images`);
  }
  if (count <= TEST_VIEWS) throw badData(`${path}: ${count} views, of which the last ${TEST_VIEWS} are held out`);
  const matrices = toFloats(poses!, `${path}: "poses"`);
  const rows = poses!.shape[1]!;
  const length = Number(focal!.data[0]);
  const rgba = toRgba(toFloats(images!, `${path}: "images"`), channels, path);
  const pixels = width * height;
  const frames = Array.from({ length: count }, (_, i): RawFrame => {
    const name = String(i).padStart(String(count - 1).length, '0');
    const matrix = Array.from({ length: rows }, (_, row) => [
      ...matrices.subarray((i * rows + row) * 4, (i * rows + row) * 4 + 4),
    ]);
    return {
      name,
      pose: poseFromMatrix(matrix, `${path}: view ${name}`),
      intrinsics: {
        size: { width, height },
        pinhole: () => ({ focal: [length, length], center: [width / 2, height / 2] }),
        distortion: undefined,
      },
      split: i < count - TEST_VIEWS ? 'train' : 'test',
      picture: {
        kind: 'memory',
        width,
        height,
        alpha: channels === 4,
        rgba: () => rgba.slice(i * pixels * 4, (i + 1) * pixels * 4),
      },
    };
  });
  return { format: 'tiny-nerf', path, frames, points: null, stated: null };
}

function toRgba(values: Float32Array, channels: number, path: string): Uint8Array {
  const out = new Uint8Array((values.length / channels) * 4).fill(255);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!(value >= -1e-3 && value <= 1.001)) throw badData(`${path}: a pixel of value ${value}`, 'images are in [0, 1]');
    out[Math.floor(i / channels) * 4 + (i % channels)] = Math.round(Math.min(Math.max(value, 0), 1) * 255);
  }
  return out;
}
