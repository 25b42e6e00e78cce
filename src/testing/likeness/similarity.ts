import type { CameraValues } from '../../core/addon/index.js';

/** to = scale · rotation · from + translation. */
export interface Similarity {
  readonly scale: number;
  /** Row-major 3×3. */
  readonly rotation: readonly number[];
  readonly translation: readonly [number, number, number];
}

/**
 * The similarity that brings points nearest to others, least squares (Horn 1987): the rotation is the quaternion of the largest
 * eigenvalue of a symmetric 4×4 matrix, found by shifted power iteration.
 * @param from @param to [n][3], n ≥ 3, not all on a line.
 */
export function similarityOf(from: ArrayLike<number>, to: ArrayLike<number>): Similarity {
  const count = from.length / 3;
  const [a, b] = [middle(from), middle(to)];
  const s = new Float64Array(9);
  let norm = 0;
  for (let i = 0; i < count; ++i) {
    for (let row = 0; row < 3; ++row) {
      const x = from[3 * i + row]! - a[row]!;
      norm += x * x;
      for (let column = 0; column < 3; ++column) s[3 * row + column]! += x * (to[3 * i + column]! - b[column]!);
    }
  }
  const rotation = rotationOf(quaternionOf(s));
  let trace = 0;
  for (let row = 0; row < 3; ++row) for (let k = 0; k < 3; ++k) trace += rotation[3 * row + k]! * s[3 * k + row]!;
  const scale = trace / norm;
  const turned = turn(rotation, a);
  return {
    scale,
    rotation,
    translation: [b[0] - scale * turned[0], b[1] - scale * turned[1], b[2] - scale * turned[2]],
  };
}

export function applySimilarity(similarity: Similarity, points: ArrayLike<number>): Float64Array {
  const { scale, rotation, translation } = similarity;
  const out = new Float64Array(points.length);
  for (let i = 0; i < points.length; i += 3) {
    const turned = turn(rotation, [points[i]!, points[i + 1]!, points[i + 2]!]);
    for (let k = 0; k < 3; ++k) out[i + k] = scale * turned[k]! + translation[k]!;
  }
  return out;
}

/**
 * The camera of one space as a camera of the other: it shows similarity(p) where the first shows p. Its lengths are the other space's, which no
 * picture can tell.
 */
export function throughSimilarity(camera: CameraValues, { scale, rotation, translation }: Similarity): CameraValues {
  const r = camera.rotation;
  // C·Rᵀ: head of the second space → camera.
  const joined = Float32Array.from({ length: 9 }, (_, i) => {
    const [row, column] = [Math.floor(i / 3), i % 3];
    return [0, 1, 2].reduce((sum, k) => sum + r[3 * row + k]! * rotation[3 * column + k]!, 0);
  });
  const moved = turn(joined, translation);
  const place = Float32Array.from(camera.translation, (value, k) => scale * value - moved[k]!);
  return { ...camera, rotation: joined, translation: place };
}

type Triple = readonly [number, number, number];

function turn(r: ArrayLike<number>, p: Triple): [number, number, number] {
  return [
    r[0]! * p[0] + r[1]! * p[1] + r[2]! * p[2],
    r[3]! * p[0] + r[4]! * p[1] + r[5]! * p[2],
    r[6]! * p[0] + r[7]! * p[1] + r[8]! * p[2],
  ];
}

function middle(points: ArrayLike<number>): Triple {
  const sum: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < points.length; ++i) sum[(i % 3) as 0 | 1 | 2] += (3 * points[i]!) / points.length;
  return sum;
}

function quaternionOf(s: ArrayLike<number>): readonly number[] {
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = Array.from(s) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const n = [
    [xx + yy + zz, yz - zy, zx - xz, xy - yx],
    [yz - zy, xx - yy - zz, xy + yx, zx + xz],
    [zx - xz, xy + yx, -xx + yy - zz, yz + zy],
    [xy - yx, zx + xz, yz + zy, -xx - yy + zz],
  ];
  const shift = Math.max(...n.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0)));
  let q = [1, 0.1, 0.1, 0.1];
  for (let iteration = 0; iteration < 2000; ++iteration) {
    const p = n.map((row, r) => row.reduce((sum, value, c) => sum + value * q[c]!, shift * q[r]!));
    const length = Math.hypot(...p);
    q = p.map((value) => value / length);
  }
  return q;
}

function rotationOf([w, x, y, z]: readonly number[]): readonly number[] {
  return [
    1 - 2 * (y! * y! + z! * z!),
    2 * (x! * y! - w! * z!),
    2 * (x! * z! + w! * y!),
    2 * (x! * y! + w! * z!),
    1 - 2 * (x! * x! + z! * z!),
    2 * (y! * z! - w! * x!),
    2 * (x! * z! - w! * y!),
    2 * (y! * z! + w! * x!),
    1 - 2 * (x! * x! + y! * y!),
  ];
}
