import { DafError } from '../../core/contracts/errors.js';
import type { Field } from '../field.js';
import type { ControlWords, FieldBox, Vector3 } from '../types.js';

/** Pixels along the side of each picture. */
const SIDE = 32;
/** A ray that ends on a surface and does not graze its outline. */
const OPAQUE = 0.95;
/** Share of the places where rays end whose density is below the level. */
const BELOW = 0.25;
/** How far the cameras are from the box's centre, in its diagonals. */
const DISTANCE = 2;

/**
 * The density at which a field's surface lies: rays from outside, from fourteen sides, end where half of their light is stopped;
 * of the densities in the middle of what stops them a low quantile, so that the surface has few holes and is not thicker than what is seen.
 * @returns per unit of length. @throws DafError ERR_DAF_BAD_DATA where nothing opaque is in the box; ERR_DAF_CANCELLED
 */
export function chooseLevel(field: Field, box: FieldBox, control: ControlWords | null): number {
  const densities: number[] = [];
  for (const side of sides()) densities.push(...field.evaluate(seenPoints(field, box, side, control), null, control).density);
  const found = densities.filter((density) => density > 0).sort((a, b) => a - b);
  const level = found[Math.floor(found.length * BELOW)];
  if (level === undefined) {
    throw new DafError('ERR_DAF_BAD_DATA', 'nothing in the field is opaque from outside', {
      hint: 'was it trained? a level can be given: --level DENSITY',
    });
  }
  return level;
}

/** The faces and the corners of a cube. */
function sides(): Vector3[] {
  const out: Vector3[] = [];
  for (const x of [-1, 0, 1]) {
    for (const y of [-1, 0, 1]) {
      for (const z of [-1, 0, 1]) {
        const zeros = Number(x === 0) + Number(y === 0) + Number(z === 0);
        if (zeros === 0 || zeros === 2) out.push([x, y, z]);
      }
    }
  }
  return out;
}

/** Where the rays of one picture, taken from a side, end: [n][3]. */
function seenPoints(field: Field, box: FieldBox, side: Vector3, control: ControlWords | null): Float32Array {
  const diagonal = Math.hypot(...[0, 1, 2].map((a) => box.max[a]! - box.min[a]!));
  const back = unit(side);
  const right = unit(side[0] === 0 && side[2] === 0 ? [1, 0, 0] : [side[2], 0, -side[0]]);
  const up = cross(back, right);
  const eye = back.map((b, a) => (box.min[a]! + box.max[a]!) / 2 + b * DISTANCE * diagonal);
  const camera = {
    rotation: [...right, ...up, ...back],
    translation: [right, up, back].map((axis) => -axis.reduce((sum, value, a) => sum + value * eye[a]!, 0)),
    focal: DISTANCE * SIDE,
    center: [SIDE / 2, SIDE / 2],
    width: SIDE,
    height: SIDE,
  };
  const near = (DISTANCE - 0.5) * diagonal;
  const { depth, opacity } = field.render(camera, { near, far: near + diagonal, control });
  const points: number[] = [];
  for (let i = 0; i < depth.length; i++) {
    if (!(opacity[i]! > OPAQUE) || !Number.isFinite(depth[i])) continue;
    const x = (((i % SIDE) + 0.5 - SIDE / 2) / camera.focal) * depth[i]!;
    const y = (-(Math.floor(i / SIDE) + 0.5 - SIDE / 2) / camera.focal) * depth[i]!;
    for (let a = 0; a < 3; a++) points.push(eye[a]! + right[a]! * x + up[a]! * y - back[a]! * depth[i]!);
  }
  return Float32Array.from(points);
}

function unit(v: Vector3): Vector3 {
  const length = Math.hypot(...v);
  return [v[0] / length, v[1] / length, v[2] / length];
}

function cross(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
