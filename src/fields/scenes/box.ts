import { cameraPosition, pixelRays } from '../camera.js';
import type { SparsePoints } from '../formats/points.js';
import type { FieldBox, FieldCamera, Vector3 } from '../types.js';
import { dot } from './pose.js';

/** Shares of the points below and above which stray ones are taken to lie. */
const STRAY = 0.02;
/** Of a side, added on each end: what is seen reaches further than the corners that were matched on it. */
const MARGIN = 0.1;
const MIN_POINTS = 100;
/** Depths that are looked at in all: 32 MB. */
const MOST_DEPTHS = 1 << 22;

/** The box of most points, or null where they are too few to tell. */
export function boxFromPoints({ positions }: SparsePoints): FieldBox | null {
  const count = positions.length / 3;
  if (count < MIN_POINTS) return null;
  const [min, max]: [number[], number[]] = [[], []];
  for (let axis = 0; axis < 3; axis++) {
    const values = Float32Array.from({ length: count }, (_, i) => positions[i * 3 + axis]!).sort();
    const [low, high] = [values[Math.floor(STRAY * count)]!, values[Math.ceil((1 - STRAY) * count) - 1]!];
    const margin = MARGIN * (high - low);
    min.push(low - margin);
    max.push(high + margin);
  }
  return flat({ min, max }) ? null : { min: vector(min), max: vector(max) };
}

/**
 * The cube around what the cameras look at: its centre is the point nearest to all viewing axes, its half side what the middle one of the
 * cameras sees around that point to all sides. Where the axes are parallel or run apart, the cube stands around the cameras themselves.
 */
export function boxFromCameras(cameras: readonly FieldCamera[]): FieldBox {
  const eyes = cameras.map(cameraPosition);
  const axes = cameras.map((camera) => camera.rotation);
  const forward = axes.map((r): Vector3 => [-r[6]!, -r[7]!, -r[8]!]);
  const focus = nearestPoint(eyes, forward);
  const depths = focus === null ? [] : eyes.map((eye, i) => dot(subtract(focus, eye), forward[i]!));
  if (focus !== null && depths.filter((depth) => depth > 0).length > cameras.length / 2) {
    const radii = depths.map((depth, i) => depth * narrowest(cameras[i]!)).filter((radius) => radius > 0);
    return cube(focus, median(radii));
  }
  const middle = [0, 1, 2].map((axis) => median(eyes.map((eye) => eye[axis]!)));
  const spread = Math.max(...eyes.map((eye) => Math.hypot(...subtract(eye, middle))));
  return cube(middle, spread > 0 ? 2 * spread : 1);
}

/** Nothing is nearer to a camera: half the distance of the nearest points, stray ones aside; 0 without points. */
export function nearDistance(points: SparsePoints | null, cameras: readonly FieldCamera[]): number {
  if (points === null || points.positions.length < 3 * MIN_POINTS) return 0;
  const { positions } = points;
  const pairs = (positions.length / 3) * cameras.length;
  // Of many points every so manieth, others for each camera.
  const every = Math.max(1, Math.ceil(pairs / MOST_DEPTHS));
  const depths = new Float64Array(Math.ceil(positions.length / 3 / every) * cameras.length);
  let found = 0;
  for (const [c, camera] of cameras.entries()) {
    const [x, y, z] = [6, 7, 8].map((i) => camera.rotation[i]!) as [number, number, number];
    for (let i = 3 * (c % every); i < positions.length; i += 3 * every) {
      const depth = -(x * positions[i]! + y * positions[i + 1]! + z * positions[i + 2]! + camera.translation[2]!);
      if (depth > 0) depths[found++] = depth;
    }
  }
  const sorted = depths.subarray(0, found).sort();
  return (sorted[Math.floor(STRAY * sorted.length)] ?? 0) / 2;
}

export function intersection(a: FieldBox, b: FieldBox): FieldBox {
  const out = { min: a.min.map((v, i) => Math.max(v, b.min[i]!)), max: a.max.map((v, i) => Math.min(v, b.max[i]!)) };
  return flat(out) ? a : { min: vector(out.min), max: vector(out.max) };
}

/** Whether some pixel of the camera looks into the box. */
export function sees(camera: FieldCamera, box: FieldBox): boolean {
  const steps = 9;
  const grid = Array.from({ length: steps * steps }, (_, i) => [
    ((i % steps) / (steps - 1)) * camera.width,
    (Math.floor(i / steps) / (steps - 1)) * camera.height,
  ]);
  const rays = pixelRays(camera, Float32Array.from(grid.flat()));
  const eye = cameraPosition(camera);
  return grid.some((_, i) => meets(box, eye, [...rays.subarray(i * 3, i * 3 + 3)]));
}

function meets(box: FieldBox, eye: readonly number[], direction: readonly number[]): boolean {
  let [near, far] = [0, Number.POSITIVE_INFINITY];
  for (let axis = 0; axis < 3; axis++) {
    const ends = [box.min[axis]!, box.max[axis]!].map((wall) => (wall - eye[axis]!) / direction[axis]!);
    if (ends.some(Number.isNaN)) continue; // on the wall and along it
    near = Math.max(near, Math.min(...ends));
    far = Math.min(far, Math.max(...ends));
  }
  return far > near;
}

/** The least-squares meeting point of lines: (Σ (I − d dᵀ)) p = Σ (I − d dᵀ) o. Null where they are almost parallel. */
function nearestPoint(origins: readonly (readonly number[])[], directions: readonly Vector3[]): number[] | null {
  const m = new Array<number>(9).fill(0);
  const right = [0, 0, 0];
  for (const [i, d] of directions.entries()) {
    for (let row = 0; row < 3; row++) {
      for (let column = 0; column < 3; column++) {
        const value = (row === column ? 1 : 0) - d[row]! * d[column]!;
        m[row * 3 + column]! += value / directions.length;
        right[row]! += (value * origins[i]![column]!) / directions.length;
      }
    }
  }
  const determinant = (a: readonly number[]): number =>
    a[0]! * (a[4]! * a[8]! - a[5]! * a[7]!) - a[1]! * (a[3]! * a[8]! - a[5]! * a[6]!) + a[2]! * (a[3]! * a[7]! - a[4]! * a[6]!);
  const whole = determinant(m);
  // 8/27 for axes all around; below this they span hardly a degree.
  if (!(whole > 1e-5)) return null;
  return [0, 1, 2].map(
    (column) => determinant(m.map((value, i) => (i % 3 === column ? right[Math.floor(i / 3)]! : value))) / whole,
  );
}

/** Sine of the angle between the axis and the nearest edge of the picture. */
function narrowest(camera: FieldCamera): number {
  const { width, height } = camera;
  const middles = [0, height / 2, width, height / 2, width / 2, 0, width / 2, height];
  const rays = pixelRays(camera, Float32Array.from(middles));
  const { rotation: r } = camera;
  const cosines = [0, 3, 6, 9].map((i) => -(rays[i]! * r[6]! + rays[i + 1]! * r[7]! + rays[i + 2]! * r[8]!));
  return Math.sqrt(Math.max(0, 1 - Math.max(...cosines) ** 2));
}

function cube(center: readonly number[], half: number): FieldBox {
  return { min: vector(center.map((v) => v - half)), max: vector(center.map((v) => v + half)) };
}

function subtract(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value - b[i]!);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function flat({ min, max }: { min: readonly number[]; max: readonly number[] }): boolean {
  return !max.every((value, axis) => value - min[axis]! > 1e-6 * Math.max(1, Math.abs(value)));
}

function vector(values: readonly number[]): Vector3 {
  return [values[0]!, values[1]!, values[2]!];
}
