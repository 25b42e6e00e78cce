/** Boxes and upright cylinders whose meeting with a ray is known in closed form. z is up. */

export interface Solid {
  readonly kind: 'box' | 'cylinder';
  /** Of the box around it. */
  readonly min: readonly [number, number, number];
  readonly max: readonly [number, number, number];
}

/** A ray and what it has met so far; reused, because pictures take millions. */
export interface Trace {
  readonly origin: Float64Array;
  /** Unit. */
  readonly direction: Float64Array;
  /** Distance of the nearest meeting. */
  distance: number;
  readonly normal: Float64Array;
}

export function newTrace(): Trace {
  return {
    origin: new Float64Array(3),
    direction: new Float64Array(3),
    distance: Number.POSITIVE_INFINITY,
    normal: new Float64Array(3),
  };
}

/** Whether the ray enters the solid nearer than `trace.distance`; distance and normal are then those of that place. */
export function enter(solid: Solid, trace: Trace): boolean {
  return solid.kind === 'box' ? enterBox(solid, trace) : enterCylinder(solid, trace);
}

function enterBox({ min, max }: Solid, trace: Trace): boolean {
  const { origin, direction } = trace;
  let near = 1e-9;
  let far = trace.distance;
  let axis = -1;
  for (let a = 0; a < 3; a++) {
    const inverse = 1 / direction[a]!;
    const t0 = ((inverse > 0 ? min : max)[a]! - origin[a]!) * inverse;
    const t1 = ((inverse > 0 ? max : min)[a]! - origin[a]!) * inverse;
    if (t0 > near) {
      near = t0;
      axis = a;
    }
    if (t1 < far) far = t1;
  }
  if (axis < 0 || near >= far) return false;
  trace.distance = near;
  trace.normal.fill(0);
  trace.normal[axis] = direction[axis]! > 0 ? -1 : 1;
  return true;
}

function enterCylinder({ min, max }: Solid, trace: Trace): boolean {
  const { origin, direction, normal } = trace;
  const radius = (max[0] - min[0]) / 2;
  const x = origin[0]! - (min[0] + max[0]) / 2;
  const y = origin[1]! - (min[1] + max[1]) / 2;
  // The lid.
  const lid = (max[2] - origin[2]!) / direction[2]!;
  if (
    direction[2]! < 0 &&
    lid > 1e-9 &&
    lid < trace.distance &&
    Math.hypot(x + lid * direction[0]!, y + lid * direction[1]!) < radius
  ) {
    trace.distance = lid;
    normal.fill(0);
    normal[2] = 1;
    return true;
  }
  // The wall: |(x, y) + t (dx, dy)| = radius.
  const a = direction[0]! ** 2 + direction[1]! ** 2;
  const b = x * direction[0]! + y * direction[1]!;
  const root = b * b - a * (x * x + y * y - radius * radius);
  if (root <= 0 || a < 1e-12) return false;
  const wall = (-b - Math.sqrt(root)) / a;
  const height = origin[2]! + wall * direction[2]!;
  if (wall <= 1e-9 || wall >= trace.distance || height < min[2] || height > max[2]) return false;
  trace.distance = wall;
  normal[0] = (x + wall * direction[0]!) / radius;
  normal[1] = (y + wall * direction[1]!) / radius;
  normal[2] = 0;
  return true;
}
