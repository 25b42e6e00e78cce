import { cameraPosition, pixelRays } from '../camera.js';
import type { Scene, SceneFrame } from '../scenes/types.js';
import { orbit } from '../testing-scene.js';
import type { FieldCamera } from '../types.js';

const SIDE = 72;
const VIEWS = 30;

/**
 * Striped spheres all through a box, seen by wide lenses from nearby: pictures that tell a camera that moves from one that turns. Every
 * sixth is held out. Drawn once; the same in every run.
 */
export function cloudScene(): Scene {
  const balls = cloud();
  const frames = Array.from({ length: VIEWS }, (_, i): SceneFrame => {
    const camera = { ...orbit(i * 2.399, (i % 5) * 0.4 - 0.6, 2.4, SIDE), focal: SIDE * 0.8 };
    const rgba = picture(camera, balls);
    const image = (): Promise<{ width: number; height: number; rgba: Uint8Array }> =>
      Promise.resolve({ width: SIDE, height: SIDE, rgba });
    return { name: `view-${i}`, split: i % 6 === 3 ? 'test' : 'train', camera, image };
  });
  return {
    format: 'blender',
    path: 'cloud',
    frames,
    box: { min: [-1, -1, -1], max: [1, 1, 1] },
    unbounded: false,
    near: 0,
    hasAlpha: true,
    background: [0, 0, 0],
    points: null,
  };
}

/** The scene with its training cameras turned by so many degrees about axes of their own, and moved by a length. */
export function disturbed(scene: Scene, degrees: number, length: number): Scene {
  const random = numbers(5);
  const direction = (): number[] => {
    const v = [0, 1, 2].map(() => random() * 2 - 1);
    const size = Math.hypot(...v) || 1;
    return v.map((value) => value / size);
  };
  const frames = scene.frames.map((frame): SceneFrame => {
    if (frame.split !== 'train') return frame;
    const rotation = turned(frame.camera.rotation, direction(), (degrees * Math.PI) / 180);
    const shift = direction();
    const center = cameraPosition(frame.camera).map((value, axis) => value + length * shift[axis]!);
    const translation = [0, 3, 6].map((row) => -[0, 1, 2].reduce((sum, k) => sum + rotation[row + k]! * center[k]!, 0));
    return { ...frame, camera: { ...frame.camera, rotation, translation } };
  });
  return { ...scene, frames };
}

interface Ball {
  readonly center: readonly number[];
  readonly radius: number;
  readonly color: readonly number[];
}

function cloud(): Ball[] {
  const random = numbers(9);
  return Array.from({ length: 24 }, () => ({
    center: [0, 1, 2].map(() => random() * 1.5 - 0.75),
    radius: 0.1 + 0.14 * random(),
    color: [0, 1, 2].map(() => 0.3 + 0.7 * random()),
  }));
}

function picture(camera: FieldCamera, balls: readonly Ball[]): Uint8Array {
  const pixels = Float32Array.from({ length: SIDE * SIDE * 2 }, (_, k) => {
    const pixel = k >> 1;
    return (k % 2 === 0 ? pixel % SIDE : Math.floor(pixel / SIDE)) + 0.5;
  });
  const rays = pixelRays(camera, pixels);
  const origin = cameraPosition(camera);
  const rgba = new Uint8Array(SIDE * SIDE * 4);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const ray = rays.subarray(3 * i, 3 * i + 3);
    let nearest = Number.POSITIVE_INFINITY;
    for (const { center, radius, color } of balls) {
      const from = origin.map((value, a) => value - center[a]!);
      const b = from.reduce((sum, value, a) => sum + value * ray[a]!, 0);
      const root = b * b - from.reduce((sum, value) => sum + value * value, -radius * radius);
      const t = -b - Math.sqrt(root);
      if (!(root > 0 && t > 0 && t < nearest)) continue;
      nearest = t;
      const [x, y] = [origin[0]! + t * ray[0]!, origin[1]! + t * ray[1]!];
      const stripe = Math.sin(24 * y + 6 * x) > 0 ? 1 : 0.6;
      for (let c = 0; c < 3; c++) rgba[4 * i + c] = Math.round(255 * color[c]! * stripe);
      rgba[4 * i + 3] = 255;
    }
  }
  return rgba;
}

/** A camera's rotation after the camera itself was turned about an axis of the world. */
function turned(rotation: ArrayLike<number>, axis: readonly number[], angle: number): number[] {
  const [x, y, z] = axis as [number, number, number];
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const v = 1 - c;
  // The turn's inverse, as rotations lead from the world to the camera.
  const back = [
    ...[c + x * x * v, x * y * v + z * s, x * z * v - y * s],
    ...[y * x * v - z * s, c + y * y * v, y * z * v + x * s],
    ...[z * x * v + y * s, z * y * v - x * s, c + z * z * v],
  ];
  return Array.from({ length: 9 }, (_, i) =>
    [0, 1, 2].reduce((sum, k) => sum + rotation[3 * Math.floor(i / 3) + k]! * back[3 * k + (i % 3)]!, 0),
  );
}

/** In [0, 1), from a seed. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
