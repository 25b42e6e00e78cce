import { cameraPosition, pixelRays } from '../../fields/camera.js';
import type { FieldCamera } from '../../fields/types.js';

/** From the capture's frame into head space: scale · rotation · point + translation; centimetres for each unit of the capture. */
export interface Similarity {
  readonly scale: number;
  /** Row-major 3×3. */
  readonly rotation: readonly number[];
  readonly translation: readonly [number, number, number];
}

/** One picture's landmarks. */
export interface SeenLandmarks {
  readonly camera: FieldCamera;
  /** [68][2] pixels of the camera's picture. */
  readonly landmarks: ArrayLike<number>;
}

export interface Alignment extends Similarity {
  /** RMS distance of the landmarks in space to the head's, cm. */
  readonly residual: number;
}

/** Landmarks on the outline lie elsewhere in every view: brows, nose, eyes and mouth are the same points in all. */
const FIRST_INNER = 17;
const LANDMARKS = 68;

/**
 * Where a capture lies in head space: inner landmarks are brought into space by the rays of all pictures that show them, and onto the head's by
 * the similarity of least squares (Umeyama 1991).
 * @param head [68][3] cm.
 * @returns null where fewer than two pictures, or pictures from one place, say nothing about depth.
 */
export function alignCapture(pictures: readonly SeenLandmarks[], head: ArrayLike<number>): Alignment | null {
  if (pictures.length < 2) return null;
  const rays = pictures.map(({ camera, landmarks }) => ({
    from: cameraPosition(camera),
    along: pixelRays(camera, Float32Array.from(landmarks)),
  }));
  const from: number[] = [];
  const to: number[] = [];
  for (let l = FIRST_INNER; l < LANDMARKS; l++) {
    const point = nearestPoint(rays.map((ray) => ({ from: ray.from, along: [0, 1, 2].map((k) => ray.along[3 * l + k]!) })));
    if (point === null) return null;
    from.push(...point);
    to.push(head[3 * l]!, head[3 * l + 1]!, head[3 * l + 2]!);
  }
  return similarityOf(from, to);
}

interface Ray {
  readonly from: readonly number[];
  /** Of length 1. */
  readonly along: readonly number[];
}

/** Relative: below it rays are parallel, and depth is noise. */
const PARALLEL = 1e-4;

/** The point with the least sum of squared distances to the rays; null where they are parallel. */
export function nearestPoint(rays: readonly Ray[]): number[] | null {
  const sum = new Array<number>(9).fill(0);
  const right = [0, 0, 0];
  for (const { from, along } of rays) {
    for (let r = 0; r < 3; r++) {
      for (let c = 0; c < 3; c++) {
        const across = (r === c ? 1 : 0) - along[r]! * along[c]!;
        sum[3 * r + c]! += across / rays.length;
        right[r]! += (across * from[c]!) / rays.length;
      }
    }
  }
  const det = determinant(sum);
  if (!(det > PARALLEL)) return null;
  return [0, 1, 2].map(
    (column) => determinant(sum.map((value, i) => (i % 3 === column ? right[(i - column) / 3]! : value))) / det,
  );
}

function determinant(m: readonly number[]): number {
  return (
    m[0]! * (m[4]! * m[8]! - m[5]! * m[7]!) - m[1]! * (m[3]! * m[8]! - m[5]! * m[6]!) + m[2]! * (m[3]! * m[7]! - m[4]! * m[6]!)
  );
}

/** The similarity that brings points [n][3] nearest to others, and what is left, RMS; rotation by Horn's quaternion (1987), never a mirror. */
export function similarityOf(from: readonly number[], to: readonly number[]): Alignment | null {
  const n = from.length / 3;
  const mean = (points: readonly number[]): number[] =>
    [0, 1, 2].map((k) => points.reduce((sum, value, i) => (i % 3 === k ? sum + value / n : sum), 0));
  const [a, b] = [mean(from), mean(to)];
  const cross = new Array<number>(9).fill(0); // [from][to]
  let spread = 0;
  for (let i = 0; i < n; i++) {
    for (let r = 0; r < 3; r++) {
      const x = from[3 * i + r]! - a[r]!;
      spread += x * x;
      for (let c = 0; c < 3; c++) cross[3 * r + c]! += x * (to[3 * i + c]! - b[c]!);
    }
  }
  if (!(spread > 0)) return null;
  const rotation = rotationOf(cross);
  let along = 0;
  for (let r = 0; r < 3; r++) for (let c = 0; c < 3; c++) along += rotation[3 * r + c]! * cross[3 * c + r]!;
  const scale = along / spread;
  if (!(scale > 0)) return null;
  const translation = [0, 1, 2].map(
    (r) => b[r]! - scale * (rotation[3 * r]! * a[0]! + rotation[3 * r + 1]! * a[1]! + rotation[3 * r + 2]! * a[2]!),
  ) as [number, number, number];
  let left = 0;
  for (let i = 0; i < n; i++) {
    const moved = moveTo({ scale, rotation, translation }, from.slice(3 * i, 3 * i + 3));
    for (let k = 0; k < 3; k++) left += (moved[k]! - to[3 * i + k]!) ** 2 / n;
  }
  return { scale, rotation, translation, residual: Math.sqrt(left) };
}

/** A point of the capture in head space. */
export function moveTo({ scale, rotation: r, translation: t }: Similarity, p: ArrayLike<number>): [number, number, number] {
  const row = (k: number): number => scale * (r[3 * k]! * p[0]! + r[3 * k + 1]! * p[1]! + r[3 * k + 2]! * p[2]!) + t[k]!;
  return [row(0), row(1), row(2)];
}

/** The rotation for which the trace of rotation · cross is largest: the first eigenvector of Horn's symmetric 4×4 matrix, by its powers. */
function rotationOf(s: readonly number[]): number[] {
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = s as [number, number, number, number, number, number, number, number, number];
  const m = [
    [xx + yy + zz, yz - zy, zx - xz, xy - yx],
    [yz - zy, xx - yy - zz, xy + yx, zx + xz],
    [zx - xz, xy + yx, -xx + yy - zz, yz + zy],
    [xy - yx, zx + xz, yz + zy, -xx - yy + zz],
  ];
  // Shifted so that the largest eigenvalue is the largest in size too.
  const shift = Math.max(...m.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0)));
  let power = m.map((row, r) => row.map((value, c) => (value + (r === c ? shift : 0)) / shift));
  // Squared again and again: 2^30 steps of the power method.
  for (let i = 0; i < 30; i++) {
    const size = Math.max(...power.flat().map(Math.abs));
    const unit = power.map((row) => row.map((value) => value / size));
    power = unit.map((row) => unit[0]!.map((_, c) => row.reduce((sum, value, k) => sum + value * unit[k]![c]!, 0)));
  }
  const column = [0, 1, 2, 3].map((c) => power.map((row) => row[c]!));
  const best = column.toSorted((a, b) => Math.hypot(...b) - Math.hypot(...a))[0]!;
  const length = Math.hypot(...best);
  const [w, x, y, z] = best.map((value) => value / length) as [number, number, number, number];
  return [
    1 - 2 * (y * y + z * z),
    2 * (x * y - w * z),
    2 * (x * z + w * y),
    2 * (x * y + w * z),
    1 - 2 * (x * x + z * z),
    2 * (y * z - w * x),
    2 * (x * z - w * y),
    2 * (y * z + w * x),
    1 - 2 * (x * x + y * y),
  ];
}
