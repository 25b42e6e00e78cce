import { badData } from '../formats/bad-data.js';

/** World to camera (x right, y up, looking down −z): a row-major rotation, then a translation. */
export interface Pose {
  readonly rotation: readonly number[];
  readonly translation: readonly number[];
}

/**
 * From a camera-to-world matrix of 3 or 4 rows: columns right, up, back, position. A uniform scale of its rotation is taken out.
 * @throws DafError ERR_DAF_BAD_DATA: not finite, skewed, or mirrored.
 */
export function poseFromMatrix(matrix: unknown, what: string): Pose {
  const rows = matrix as readonly (readonly number[])[];
  const right =
    Array.isArray(matrix) &&
    (matrix.length === 3 || matrix.length === 4) &&
    matrix.every((row) => Array.isArray(row) && row.length === 4);
  if (!right) throw badData(`${what}: its pose is not a matrix of 4 × 4`);
  if (!rows.flat().every((value) => typeof value === 'number' && Number.isFinite(value)))
    throw badData(`${what}: its pose is not finite`);
  const axes = [0, 1, 2].map((column) => [0, 1, 2].map((row) => rows[row]![column]!));
  const position = [0, 1, 2].map((row) => rows[row]![3]!);
  return fromAxes(axes, position, what);
}

/** From COLMAP's world-to-camera quaternion (w x y z) and translation, whose camera looks along +z with y down. */
export function poseFromQuaternion(q: readonly number[], t: readonly number[], what: string): Pose {
  const length = Math.hypot(...q);
  if (!(length > 1e-6) || !Number.isFinite(length) || !t.every(Number.isFinite)) throw badData(`${what}: its pose is not finite`);
  const [w, x, y, z] = q.map((value) => value / length) as [number, number, number, number];
  const rotation = [
    ...[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
    ...[2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)].map((value) => -value),
    ...[2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)].map((value) => -value),
  ];
  return { rotation, translation: [t[0]!, -t[1]!, -t[2]!] };
}

function fromAxes(axes: number[][], position: readonly number[], what: string): Pose {
  const scale = Math.hypot(...axes.flat()) / Math.sqrt(3);
  const [right, up, back] = axes.map((axis) => axis.map((value) => value / scale)) as [number[], number[], number[]];
  const skew = Math.max(
    ...[dot(right, up), dot(up, back), dot(back, right)].map(Math.abs),
    ...[right, up, back].map((axis) => Math.abs(dot(axis, axis) - 1)),
  );
  if (!(skew < 1e-2)) throw badData(`${what}: the axes of its pose are not at right angles, or of different lengths`);
  if (dot(cross(right, up), back) < 0)
    throw badData(`${what}: its pose is mirrored`, 'camera axes are right, up and back, as in OpenGL');
  // What rounding left over is taken out, the viewing direction first.
  const z = unit(back);
  const x = unit(cross(up, z));
  const rotation = [...x, ...cross(z, x), ...z];
  const translation = [0, 3, 6].map((row) => -dot(rotation.slice(row, row + 3), position));
  return { rotation, translation };
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a[0]! * b[0]! + a[1]! * b[1]! + a[2]! * b[2]!;
}

function cross(a: readonly number[], b: readonly number[]): number[] {
  return [a[1]! * b[2]! - a[2]! * b[1]!, a[2]! * b[0]! - a[0]! * b[2]!, a[0]! * b[1]! - a[1]! * b[0]!];
}

function unit(v: readonly number[]): number[] {
  const length = Math.hypot(...v);
  return v.map((value) => value / length);
}
