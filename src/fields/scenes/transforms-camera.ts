import { badData } from '../formats/bad-data.js';
import type { LensDistortion } from '../types.js';
import type { Intrinsics, Pinhole } from './intrinsics.js';
import type { JsonObject } from './json.js';

const PERSPECTIVE = ['OPENCV', 'FULL_OPENCV', 'PINHOLE', 'SIMPLE_PINHOLE', 'SIMPLE_RADIAL', 'RADIAL', 'PERSPECTIVE'];
const FISHEYE = ['OPENCV_FISHEYE', 'FISHEYE', 'SIMPLE_RADIAL_FISHEYE', 'RADIAL_FISHEYE'];

/** What `transforms.json` says of a frame's camera; a frame's own keys come before those of the file's top level. */
export function transformsIntrinsics(frame: JsonObject, file: JsonObject): Intrinsics {
  const number = (key: string): number | undefined => frame.number(key) ?? file.number(key);
  const [width, height] = [number('w'), number('h')];
  const size = width === undefined || height === undefined ? null : { width, height };
  for (const side of size === null ? [] : [size.width, size.height]) {
    if (!Number.isInteger(side) || side < 1 || side > 16384)
      throw badData(`${frame.what}: a picture of ${width}×${height} pixels`);
  }
  return {
    size,
    distortion: distortion(frame, file, number),
    pinhole: (at): Pinhole => {
      const focal = [
        number('fl_x') ?? focalOf(number('camera_angle_x'), at.width) ?? focalOf(radians(number('x_fov')), at.width),
        number('fl_y') ?? focalOf(number('camera_angle_y'), at.height) ?? focalOf(radians(number('y_fov')), at.height),
      ];
      // One angle or length alone means square pixels.
      const [x, y] = [focal[0] ?? focal[1], focal[1] ?? focal[0]];
      if (x === undefined || y === undefined)
        throw badData(`${frame.what}: no focal length`, 'fl_x, fl_y, camera_angle_x or camera_angle_y');
      return { focal: [x, y], center: [number('cx') ?? at.width / 2, number('cy') ?? at.height / 2] };
    },
  };
}

function distortion(
  frame: JsonObject,
  file: JsonObject,
  number: (key: string) => number | undefined,
): LensDistortion | undefined {
  const model = frame.text('camera_model') ?? file.text('camera_model') ?? 'OPENCV';
  const fisheye = FISHEYE.includes(model) || (frame.get('is_fisheye') ?? file.get('is_fisheye')) === true;
  if (!fisheye && !PERSPECTIVE.includes(model)) {
    throw badData(`${frame.what}: camera model "${model}" is unknown`, `known: ${[...PERSPECTIVE, ...FISHEYE].join(', ')}`);
  }
  const k = (key: string): number => number(key) ?? 0;
  const radial = { k1: k('k1'), k2: k('k2'), k3: k('k3'), k4: k('k4') };
  if (fisheye) return { model: 'opencv_fisheye', ...radial };
  const lens = { ...radial, k5: k('k5'), k6: k('k6'), p1: k('p1'), p2: k('p2') };
  return Object.values(lens).some((value) => value !== 0) ? { model: 'opencv', ...lens } : undefined;
}

function radians(degrees: number | undefined): number | undefined {
  return degrees === undefined ? undefined : (degrees * Math.PI) / 180;
}

/** From the full angle of view across `pixels`. */
function focalOf(angle: number | undefined, pixels: number): number | undefined {
  return angle === undefined ? undefined : pixels / 2 / Math.tan(angle / 2);
}
