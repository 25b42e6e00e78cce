import { DafError } from '../../core/contracts/errors.js';
import { cameraPosition } from '../camera.js';
import type { FieldBox, FieldCamera, Vector3 } from '../types.js';
import { add, cross, dot, length, scale, subtract, unit } from './vectors.js';

/** Something to look at, and from where around it. Lengths are the field's. */
export interface Orbit {
  readonly center: Vector3;
  readonly distance: number;
  /** Above the plane through the centre, degrees; 90 is straight above. */
  readonly elevation: number;
  /** Unit vectors at right angles: what is up, and from where the first picture is taken. */
  readonly up: Vector3;
  readonly front: Vector3;
  /** The full vertical angle of view, degrees. */
  readonly fieldOfView: number;
}

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

const FIELD_OF_VIEW = 40;

/** Around a box, from where all of it is seen. Captures have z up (front −y, as Blender has it), heads y up (front +z). */
export function orbitOfBox(box: FieldBox, up: 'y' | 'z' = 'z'): Orbit {
  const half = scale(subtract(box.max, box.min), 0.5);
  return {
    center: add(box.min, half),
    distance: length(half) / Math.sin((FIELD_OF_VIEW / 360) * Math.PI),
    elevation: 15,
    ...(up === 'z' ? { up: [0, 0, 1], front: [0, -1, 0] } : { up: [0, 1, 0], front: [0, 0, 1] }),
    fieldOfView: FIELD_OF_VIEW,
  };
}

/**
 * As the cameras of a capture stand: around the point nearest to all their axes, at their mean distance, height and angle of view,
 * beginning in the middle of them.
 * @throws DafError ERR_DAF_BAD_ARGUMENT without cameras
 */
export function orbitOfCameras(cameras: readonly FieldCamera[]): Orbit {
  const first = cameras[0];
  if (first === undefined) throw new DafError('ERR_DAF_BAD_ARGUMENT', 'an orbit around no cameras');
  const positions = cameras.map((camera): Vector3 => cameraPosition(camera));
  const up = uprightOf(cameras);
  const center = nearestPoint(
    positions,
    cameras.map((camera) => scale(row(camera, 2), -1)),
  );
  const offsets = positions.map((position) => subtract(position, center));
  const distance = offsets.reduce((sum, offset) => sum + length(offset), 0) / offsets.length;
  const height = offsets.reduce((sum, offset) => sum + dot(offset, up), 0) / offsets.length;
  const middle = flatten(mean(offsets), up);
  // Cameras all around have no middle.
  const front = length(middle) > 0.1 * distance ? middle : flatten(offsets[0]!, up);
  const focal = typeof first.focal === 'number' ? first.focal : first.focal[1];
  return {
    center,
    distance,
    elevation: (Math.asin(Math.max(-1, Math.min(1, height / distance))) * 180) / Math.PI,
    up,
    front: unit(length(front) > 1e-6 * distance ? front : flatten(Math.abs(up[0]) < 0.9 ? [1, 0, 0] : [0, 1, 0], up)),
    fieldOfView: (Math.atan(first.height / 2 / focal) * 360) / Math.PI,
  };
}

/** Once around, counter-clockwise seen from above. */
export function orbitPath(orbit: Orbit, frames: number, size: PictureSize): FieldCamera[] {
  return steps(frames).map((turn) => {
    const yaw = turn * 2 * Math.PI;
    return lookAt(orbit, place(orbit, yaw, (orbit.elevation * Math.PI) / 180, orbit.distance), size);
  });
}

/** A small loop about the front view that also comes nearer and goes back: shows depth where a capture saw one side only. */
export function spiralPath(orbit: Orbit, frames: number, size: PictureSize): FieldCamera[] {
  return steps(frames).map((turn) => {
    const angle = turn * 2 * Math.PI;
    const elevation = (orbit.elevation * Math.PI) / 180 + 0.15 * Math.sin(angle);
    return lookAt(orbit, place(orbit, 0.25 * Math.cos(angle), elevation, orbit.distance * (1 - 0.1 * Math.sin(2 * angle))), size);
  });
}

/** A camera at `eye` that looks at the orbit's centre, upright. */
export function lookAt({ center, up, front, fieldOfView }: Orbit, eye: Vector3, { width, height }: PictureSize): FieldCamera {
  const back = unit(subtract(eye, center));
  const sideways = cross(up, back);
  // Straight above, what is behind is up.
  const right = length(sideways) > 1e-6 ? unit(sideways) : unit(cross(scale(front, -Math.sign(dot(up, back))), back));
  const rotation = [...right, ...cross(back, right), ...back];
  return {
    rotation,
    translation: [0, 3, 6].map((at) => -dot(rotation.slice(at, at + 3) as unknown as Vector3, eye)),
    focal: height / 2 / Math.tan((fieldOfView / 360) * Math.PI),
    center: [width / 2, height / 2],
    width,
    height,
  };
}

function place({ center, up, front }: Orbit, yaw: number, elevation: number, distance: number): Vector3 {
  const side = cross(up, front);
  const level = add(scale(front, Math.cos(yaw)), scale(side, Math.sin(yaw)));
  const direction = add(scale(level, Math.cos(elevation)), scale(up, Math.sin(elevation)));
  return add(center, scale(direction, distance));
}

function steps(frames: number): number[] {
  if (!Number.isInteger(frames) || frames < 1 || frames > 100_000) {
    throw new DafError('ERR_DAF_BAD_OPTION', `a camera path of ${frames} frames: 1–100000`);
  }
  return Array.from({ length: frames }, (_, i) => i / frames);
}

function row({ rotation: r }: FieldCamera, i: number): Vector3 {
  return [r[i * 3]!, r[i * 3 + 1]!, r[i * 3 + 2]!];
}

function mean(vectors: readonly Vector3[]): Vector3 {
  return scale(vectors.reduce(add), 1 / vectors.length);
}

/** Without its part along `up`. */
function flatten(v: Vector3, up: Vector3): Vector3 {
  return subtract(v, scale(up, dot(v, up)));
}

/** At right angles to what is right in each picture, as nobody holds a camera askew; where that leaves a choice, the mean of what is up. */
function uprightOf(cameras: readonly FieldCamera[]): Vector3 {
  const up = mean(cameras.map((camera) => row(camera, 1)));
  const pull = 1e-3 * cameras.length;
  const system = new NormalEquations(pull, up);
  for (const camera of cameras) {
    const right = row(camera, 0);
    system.add((r, c) => right[r]! * right[c]!, [0, 0, 0]);
  }
  return unit(system.solve());
}

/** The point with the least sum of squared distances from lines; where they are parallel, one unit ahead of their middle. */
function nearestPoint(points: readonly Vector3[], directions: readonly Vector3[]): Vector3 {
  const system = new NormalEquations(1e-6 * points.length, add(mean(points), mean(directions)));
  for (const [i, point] of points.entries()) {
    const d = directions[i]!;
    system.add((r, c) => (r === c ? 1 : 0) - d[r]! * d[c]!, point);
  }
  return system.solve();
}

/** The least sum of (x − p)ᵀ M (x − p), with a weak pull towards a guess that decides where the terms do not. */
class NormalEquations {
  readonly #matrix: number[];
  readonly #right: number[];

  constructor(pull: number, guess: Vector3) {
    this.#matrix = [pull, 0, 0, 0, pull, 0, 0, 0, pull];
    this.#right = [...scale(guess, pull)];
  }

  add(entry: (r: number, c: number) => number, point: Vector3): void {
    for (let r = 0; r < 3; r++) {
      for (let c = 0; c < 3; c++) {
        this.#matrix[r * 3 + c]! += entry(r, c);
        this.#right[r]! += entry(r, c) * point[c]!;
      }
    }
  }

  solve(): Vector3 {
    return solve(this.#matrix, this.#right);
  }
}

/** Cramer's rule. */
function solve(m: readonly number[], b: readonly number[]): Vector3 {
  const column = (i: number): Vector3 => [m[i]!, m[3 + i]!, m[6 + i]!];
  const columns = [column(0), column(1), column(2)];
  const determinant = (c: readonly Vector3[]): number => dot(c[0]!, cross(c[1]!, c[2]!));
  const whole = determinant(columns);
  const at = (i: number): number => determinant(columns.map((c, j) => (i === j ? (b as unknown as Vector3) : c))) / whole;
  return [at(0), at(1), at(2)];
}
