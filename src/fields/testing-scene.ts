import type { Scene } from './scenes/types.js';
import type { FieldCamera, TrainingView } from './types.js';

/** For tests: a sphere of radius 6 around the origin, coloured by its normal, whose pictures are known in closed form. */

/** A square camera at `distance` from the origin, looking at it. Radians; yaw around y, pitch upwards. */
export function orbit(yaw: number, pitch: number, distance: number, size: number): FieldCamera {
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  const right = [cy, 0, -sy];
  const back = [sy * cp, sp, cy * cp];
  const up = [
    back[1]! * right[2]! - back[2]! * right[1]!,
    back[2]! * right[0]! - back[0]! * right[2]!,
    back[0]! * right[1]! - back[1]! * right[0]!,
  ];
  return {
    rotation: [...right, ...up, ...back],
    translation: [0, 0, -distance],
    focal: size * 2.4,
    center: [size / 2, size / 2],
    width: size,
    height: size,
  };
}

/** Black where the sphere is not. */
export function spherePicture(camera: FieldCamera, source: TrainingView['source']): TrainingView {
  const { width, height, rotation: r, translation: t } = camera;
  const rgb = new Float32Array(width * height * 3);
  const alpha = new Float32Array(width * height);
  const depth = new Float32Array(width * height);
  const focal = camera.focal as number;
  for (let i = 0; i < width * height; i++) {
    const direction = [((i % width) + 0.5 - width / 2) / focal, -(Math.floor(i / width) + 0.5 - height / 2) / focal, -1];
    const slant = Math.hypot(...direction);
    const d = [0, 1, 2].map((a) => (r[a]! * direction[0]! + r[3 + a]! * direction[1]! + r[6 + a]! * direction[2]!) / slant);
    const o = [0, 1, 2].map((a) => -(r[a]! * t[0]! + r[3 + a]! * t[1]! + r[6 + a]! * t[2]!));
    const b = o[0]! * d[0]! + o[1]! * d[1]! + o[2]! * d[2]!;
    const root = b * b - (o[0]! ** 2 + o[1]! ** 2 + o[2]! ** 2 - 36);
    if (root < 0) continue;
    const distance = -b - Math.sqrt(root);
    alpha[i] = 1;
    depth[i] = distance / slant;
    for (let a = 0; a < 3; a++) rgb[i * 3 + a] = 0.5 + (0.4 * (o[a]! + d[a]! * distance)) / 6;
  }
  return { source, camera, rgb, alpha, depth };
}

/** A capture of it: square training pictures with alpha from all around, drawn when they are asked for. */
export function sphereScene(pictures: number, size: number): Scene {
  const frames = Array.from({ length: pictures }, (_, i) => {
    const camera = orbit(i * 2.4, (i % 5) * 0.4 - 0.8, 40, size);
    const image = () => {
      const { rgb, alpha } = spherePicture(camera, 'photo');
      const rgba = Uint8Array.from({ length: size * size * 4 }, (_, k) => {
        const pixel = Math.floor(k / 4);
        return Math.round(255 * (k % 4 === 3 ? alpha![pixel]! : rgb[pixel * 3 + (k % 4)]!));
      });
      return Promise.resolve({ width: size, height: size, rgba });
    };
    return { name: String(i), split: 'train', camera, image } as const;
  });
  return {
    format: 'blender',
    path: 'sphere',
    frames,
    box: { min: [-8, -8, -8], max: [8, 8, 8] },
    unbounded: false,
    near: 20,
    hasAlpha: true,
    background: [1, 1, 1],
    points: null,
  };
}
