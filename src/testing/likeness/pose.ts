import type { CameraValues } from '../../core/addon/index.js';

/** A head whose identity is settled. Lengths in any one unit. */
export interface FrozenHead {
  /** [points][3], neutral. */
  readonly points: Float32Array;
  /** [points][3] each, at weight 1. */
  readonly expressions: readonly Float32Array[];
}

export interface PoseSearch {
  /** Where the search begins; its size and principal point stay. */
  readonly start: CameraValues;
  /** [points] ≥ 0; 0 leaves a point out. */
  readonly weights: ArrayLike<number>;
  /** Expected focal length in pixels, and the standard deviation of its logarithm. */
  readonly focal: number;
  readonly focalSpread: number;
  /** Expected error of a landmark per axis, pixels. */
  readonly noise: number;
  /** Expected size of an expression weight. */
  readonly expressionSpread: number;
}

export interface SolvedPose {
  readonly camera: CameraValues;
  /** Weights in [0, 1]. */
  readonly expression: Float32Array;
  /** RMS distance of the points used, pixels. */
  readonly residual: number;
}

const STEPS = 60;
const POSE = 7;

/**
 * Where the camera stood and what the face did, for a head whose identity may not move: six degrees of freedom, the focal length and the
 * expression, by Levenberg–Marquardt with priors on the last two.
 * @param pixels [points][2].
 */
export function solvePose(head: FrozenHead, pixels: ArrayLike<number>, search: PoseSearch): SolvedPose {
  let state: State = {
    rotation: Float64Array.from(search.start.rotation),
    translation: Float64Array.from(search.start.translation),
    focal: search.start.focal,
    expression: new Float64Array(head.expressions.length),
  };
  let cost = costOf(head, pixels, search, state);
  let damping = 1e-3;
  for (let step = 0; step < STEPS && damping < 1e9; ++step) {
    const { matrix, gradient } = normalEquations(head, pixels, search, state);
    const count = gradient.length;
    for (let i = 0; i < count; ++i) matrix[i * count + i]! *= 1 + damping;
    const change = solveSymmetric(matrix, gradient);
    const next = change === null ? null : moved(state, change);
    const nextCost = next === null ? Number.POSITIVE_INFINITY : costOf(head, pixels, search, next);
    if (next === null || !(nextCost < cost)) {
      damping *= 6;
      continue;
    }
    const settled = cost - nextCost < 1e-9 * cost;
    [state, cost, damping] = [next, nextCost, Math.max(1e-9, damping / 4)];
    if (settled) break;
  }
  const { rotation, translation, focal, expression } = state;
  return {
    camera: {
      ...search.start,
      rotation: Float32Array.from(rotation),
      translation: Float32Array.from(translation),
      focal,
    },
    expression: Float32Array.from(expression),
    residual: rmsOf(head, pixels, search, state),
  };
}

interface State {
  readonly rotation: Float64Array;
  readonly translation: Float64Array;
  readonly focal: number;
  readonly expression: Float64Array;
}

/** [3] of point i with the expression, turned but not moved. */
function turnedPoint(head: FrozenHead, { rotation: r, expression }: State, i: number): [number, number, number] {
  const p = [0, 1, 2].map((k) => {
    let value = head.points[3 * i + k]!;
    for (let e = 0; e < expression.length; ++e) value += expression[e]! * head.expressions[e]![3 * i + k]!;
    return value;
  }) as [number, number, number];
  return turn(r, p);
}

function turn(r: ArrayLike<number>, p: readonly [number, number, number]): [number, number, number] {
  return [0, 3, 6].map((at) => r[at]! * p[0] + r[at + 1]! * p[1] + r[at + 2]! * p[2]) as [number, number, number];
}

/** Pixels from where point i is wanted, and its place in camera space; null behind the camera. */
function miss(head: FrozenHead, pixels: ArrayLike<number>, { start }: PoseSearch, state: State, i: number) {
  const turned = turnedPoint(head, state, i);
  const [x, y, z] = turned.map((value, k) => value + state.translation[k]!) as [number, number, number];
  const depth = -z;
  if (depth <= 1e-6) return null;
  const u = start.center[0]! + (state.focal * x) / depth - pixels[2 * i]!;
  const v = start.center[1]! - (state.focal * y) / depth - pixels[2 * i + 1]!;
  return { u, v, x, y, depth, turned };
}

function costOf(head: FrozenHead, pixels: ArrayLike<number>, search: PoseSearch, state: State): number {
  let cost = (Math.log(state.focal / search.focal) / search.focalSpread) ** 2;
  for (const weight of state.expression) cost += (weight / search.expressionSpread) ** 2;
  for (let i = 0; i < pixels.length / 2; ++i) {
    if (search.weights[i] === 0) continue;
    const at = miss(head, pixels, search, state, i);
    if (at === null) return Number.POSITIVE_INFINITY;
    cost += search.weights[i]! * ((at.u / search.noise) ** 2 + (at.v / search.noise) ** 2);
  }
  return cost;
}

function rmsOf(head: FrozenHead, pixels: ArrayLike<number>, search: PoseSearch, state: State): number {
  let [sum, weight] = [0, 0];
  for (let i = 0; i < pixels.length / 2; ++i) {
    const at = search.weights[i] === 0 ? null : miss(head, pixels, search, state, i);
    if (at === null) continue;
    sum += search.weights[i]! * (at.u * at.u + at.v * at.v);
    weight += search.weights[i]!;
  }
  return Math.sqrt(sum / weight);
}

/** JᵀJ and −Jᵀr over rotation, translation, log focal length, expression. */
function normalEquations(head: FrozenHead, pixels: ArrayLike<number>, search: PoseSearch, state: State) {
  const count = POSE + state.expression.length;
  const matrix = new Float64Array(count * count);
  const gradient = new Float64Array(count);
  const add = (row: Float64Array, residual: number, weight: number): void => {
    for (let a = 0; a < count; ++a) {
      gradient[a]! -= weight * row[a]! * residual;
      for (let b = 0; b < count; ++b) matrix[a * count + b]! += weight * row[a]! * row[b]!;
    }
  };
  const [du, dv] = [new Float64Array(count), new Float64Array(count)];
  for (let i = 0; i < pixels.length / 2; ++i) {
    const at = search.weights[i] === 0 ? null : miss(head, pixels, search, state, i);
    if (at === null) continue;
    const { u, v, x, y, depth, turned } = at;
    const scale = state.focal / depth;
    // Of a pixel by its point in camera space, where depth = −z.
    const put = (column: number, d: readonly [number, number, number]): void => {
      du[column] = scale * (d[0] + (x / depth) * d[2]);
      dv[column] = scale * (-d[1] - (y / depth) * d[2]);
    };
    const [p, q, s] = turned;
    put(0, [0, -s, q]);
    put(1, [s, 0, -p]);
    put(2, [-q, p, 0]);
    put(3, [1, 0, 0]);
    put(4, [0, 1, 0]);
    put(5, [0, 0, 1]);
    du[6] = scale * x;
    dv[6] = -scale * y;
    for (const [e, deltas] of head.expressions.entries()) {
      put(POSE + e, turn(state.rotation, [deltas[3 * i]!, deltas[3 * i + 1]!, deltas[3 * i + 2]!]));
    }
    const weight = search.weights[i]! / search.noise ** 2;
    add(du, u, weight);
    add(dv, v, weight);
  }
  const prior = (column: number, value: number, spread: number): void => {
    gradient[column]! -= value / spread ** 2;
    matrix[column * count + column]! += 1 / spread ** 2;
  };
  prior(6, Math.log(state.focal / search.focal), search.focalSpread);
  for (let e = 0; e < state.expression.length; ++e) prior(POSE + e, state.expression[e]!, search.expressionSpread);
  return { matrix, gradient };
}

function moved(state: State, change: Float64Array): State {
  const spin = rotationFrom(change[0]!, change[1]!, change[2]!);
  const rotation = Float64Array.from({ length: 9 }, (_, i) =>
    [0, 1, 2].reduce((sum, k) => sum + spin[3 * Math.floor(i / 3) + k]! * state.rotation[3 * k + (i % 3)]!, 0),
  );
  return {
    rotation,
    translation: state.translation.map((value, k) => value + change[3 + k]!),
    focal: state.focal * Math.exp(Math.min(1, Math.max(-1, change[6]!))),
    expression: state.expression.map((value, e) => Math.min(1, Math.max(0, value + change[POSE + e]!))),
  };
}

/** Of a rotation vector (Rodrigues). */
export function rotationFrom(x: number, y: number, z: number): number[] {
  const angle = Math.hypot(x, y, z);
  const a = angle < 1e-9 ? 1 : Math.sin(angle) / angle;
  const b = angle < 1e-9 ? 0.5 : (1 - Math.cos(angle)) / angle ** 2;
  const c = Math.cos(angle);
  return [
    c + b * x * x,
    b * x * y - a * z,
    b * x * z + a * y,
    b * x * y + a * z,
    c + b * y * y,
    b * y * z - a * x,
    b * x * z - a * y,
    b * y * z + a * x,
    c + b * z * z,
  ];
}

/** Solves A·x = b by Cholesky; A is overwritten. Null where A is not positive definite. */
export function solveSymmetric(a: Float64Array, b: Float64Array): Float64Array | null {
  const n = b.length;
  for (let j = 0; j < n; ++j) {
    for (let i = j; i < n; ++i) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; ++k) sum -= a[i * n + k]! * a[j * n + k]!;
      if (i === j && !(sum > 0)) return null;
      a[i * n + j] = i === j ? Math.sqrt(sum) : sum / a[j * n + j]!;
    }
  }
  const x = Float64Array.from(b);
  for (let i = 0; i < n; ++i) {
    for (let k = 0; k < i; ++k) x[i]! -= a[i * n + k]! * x[k]!;
    x[i]! /= a[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; --i) {
    for (let k = i + 1; k < n; ++k) x[i]! -= a[k * n + i]! * x[k]!;
    x[i]! /= a[i * n + i]!;
  }
  return x;
}
