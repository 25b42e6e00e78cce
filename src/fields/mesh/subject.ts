import { cameraPosition } from '../camera.js';
import type { Field } from '../field.js';
import { boxFromCameras, intersection } from '../scenes/box.js';
import type { FieldBox, FieldCamera, Vector3 } from '../types.js';

/** Share of a side by which the box is longer on the sides that the cameras stand on. */
const TOWARDS = 0.25;
/** A side faces the cameras where the mean direction to them leans so much to it. */
const FACING = 0.4;

/**
 * What a mesh of a field shows unless it is told: the field's box. In a capture that holds surroundings too, so that there it is the part of
 * the box that the cameras look at, and a little more in front of it.
 */
export function subjectBox(field: Field): FieldBox {
  return subjectOf(field.box, field.box.unbounded === true ? field.cameras() : []);
}

/** The same of a capture's box and cameras; the box where there are none. */
export function subjectOf({ min, max }: FieldBox, cameras: readonly FieldCamera[]): FieldBox {
  if (cameras.length === 0) return { min, max };
  const box = intersection({ min, max }, boxFromCameras(cameras));
  const facing = towards(cameras, box);
  const grown = (sign: number, ends: Vector3): Vector3 => {
    const moved = ends.map((end, a) => end + (sign * facing[a]! > FACING ? sign * TOWARDS * (box.max[a]! - box.min[a]!) : 0));
    return [moved[0]!, moved[1]!, moved[2]!];
  };
  return { min: grown(-1, box.min), max: grown(1, box.max) };
}

/** The mean direction from the box's middle to the cameras. */
function towards(cameras: readonly FieldCamera[], { min, max }: FieldBox): number[] {
  const sum = [0, 0, 0];
  for (const camera of cameras) {
    const away = cameraPosition(camera).map((eye, a) => eye - (min[a]! + max[a]!) / 2);
    const length = Math.hypot(...away) || 1;
    for (const [a, value] of away.entries()) sum[a]! += value / length / cameras.length;
  }
  return sum;
}
