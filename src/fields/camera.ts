import { DafError } from '../core/contracts/errors.js';
import { native } from './native.js';
import type { FieldCamera, LensDistortion } from './types.js';

/** Of a packed camera. */
export const CAMERA_NUMBERS = 27;

/**
 * Where points fall in a picture.
 * @param points n × 3, field space.
 * @returns pixels, n × 2 (within the picture or beside it; NaN for what the lens cannot see), and depths along the viewing direction.
 */
export function projectPoints(camera: FieldCamera, points: Float32Array): { pixels: Float32Array; depths: Float32Array } {
  const count = Math.floor(points.length / 3);
  const pixels = new Float32Array(count * 2);
  const depths = new Float32Array(count);
  native((daf) => daf.cameraProject(packCamera(camera), points, pixels, depths));
  return { pixels, depths };
}

/**
 * The rays of pixels, undistorted.
 * @param pixels n × 2; centres are at +0.5.
 * @returns unit vectors in field space, n × 3; all start at {@link cameraPosition}.
 */
export function pixelRays(camera: FieldCamera, pixels: Float32Array): Float32Array {
  const directions = new Float32Array(Math.floor(pixels.length / 2) * 3);
  native((daf) => daf.cameraRays(packCamera(camera), pixels, directions));
  return directions;
}

/** Where the camera stands, in field space. */
export function cameraPosition(camera: Pick<FieldCamera, 'rotation' | 'translation'>): [number, number, number] {
  const { rotation: r, translation: t } = camera;
  const along = (axis: number): number => -(r[axis]! * t[0]! + r[3 + axis]! * t[1]! + r[6 + axis]! * t[2]!);
  return [along(0), along(1), along(2)];
}

/**
 * The camera as one array: rotation, translation, focal x and y, centre x and y, width, height, lens model, k1 … k6, p1, p2; scaled to
 * another size if given.
 */
export function packCamera(camera: FieldCamera, width = camera.width, height = camera.height): Float32Array {
  if (camera.rotation.length !== 9 || camera.translation.length !== 3 || camera.center.length !== 2) {
    throw new DafError('ERR_DAF_BAD_ARGUMENT', 'a camera has 9 numbers of rotation, 3 of translation and 2 of centre');
  }
  const [fx, fy] = typeof camera.focal === 'number' ? [camera.focal, camera.focal] : camera.focal;
  const [sx, sy] = [width / camera.width, height / camera.height];
  const out = new Float32Array(CAMERA_NUMBERS);
  out.set(camera.rotation, 0);
  out.set(camera.translation, 9);
  out.set([fx * sx, fy * sy, camera.center[0]! * sx, camera.center[1]! * sy, width, height], 12);
  if (camera.distortion !== undefined) out.set(packLens(camera.distortion), 18);
  return out;
}

/** What {@link packCamera} packed. */
export function unpackCamera(values: Float32Array): FieldCamera {
  const at = (i: number): number => values[i]!;
  const [k1, k2, k3, k4, k5, k6, p1, p2] = [19, 20, 21, 22, 23, 24, 25, 26].map(at);
  const lenses: readonly (LensDistortion | undefined)[] = [
    undefined,
    { model: 'opencv', k1, k2, k3, k4, k5, k6, p1, p2 } as LensDistortion,
    { model: 'opencv_fisheye', k1, k2, k3, k4 } as LensDistortion,
  ];
  const distortion = lenses[at(18)];
  return {
    rotation: values.slice(0, 9),
    translation: values.slice(9, 12),
    focal: [at(12), at(13)],
    center: [at(14), at(15)],
    width: at(16),
    height: at(17),
    ...(distortion === undefined ? {} : { distortion }),
  };
}

/** Distortion acts at focal length 1, so that it is the same at every size of the picture. */
function packLens(lens: LensDistortion): number[] {
  const { k1 = 0, k2 = 0, k3 = 0, k4 = 0 } = lens;
  switch (lens.model) {
    case 'opencv':
      return [1, k1, k2, k3, k4, lens.k5 ?? 0, lens.k6 ?? 0, lens.p1 ?? 0, lens.p2 ?? 0];
    case 'opencv_fisheye':
      return [2, k1, k2, k3, k4, 0, 0, 0, 0];
    default:
      throw new DafError('ERR_DAF_BAD_ARGUMENT', `unknown lens model ${JSON.stringify((lens as { model: unknown }).model)}`, {
        hint: 'known: opencv, opencv_fisheye; a pinhole has no distortion',
      });
  }
}
