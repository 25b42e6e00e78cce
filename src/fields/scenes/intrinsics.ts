import { badData } from '../formats/bad-data.js';
import type { LensDistortion } from '../types.js';

/** What a scene says of a camera's inside; sizes may be left to the pictures. */
export interface Intrinsics {
  /** Pixels that the focal lengths and the centre are given for; null: those of the picture. */
  readonly size: ImageSize | null;
  /** Focal lengths and principal point at `size`. */
  pinhole(size: ImageSize): Pinhole;
  readonly distortion: LensDistortion | undefined;
}

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

export interface Pinhole {
  readonly focal: readonly [number, number];
  readonly center: readonly [number, number];
}

/**
 * The pinhole of pictures of `actual` size.
 * @throws DafError ERR_DAF_BAD_DATA where the size that was written down has another shape than the picture.
 */
export function pinholeAt(intrinsics: Intrinsics, actual: ImageSize, what: string): Pinhole {
  const { width, height } = intrinsics.size ?? actual;
  const pinhole = intrinsics.pinhole({ width, height });
  const scale = [actual.width / width, actual.height / height] as const;
  // A picture shrunk by a whole factor may have lost the odd row.
  if (Math.abs(scale[0] / scale[1] - 1) > 2 / Math.min(actual.width, actual.height)) {
    throw badData(`${what}: the picture has ${actual.width}×${actual.height} pixels, its camera ${width}×${height}`);
  }
  const out: Pinhole = {
    focal: [pinhole.focal[0] * scale[0], pinhole.focal[1] * scale[1]],
    center: [pinhole.center[0] * scale[0], pinhole.center[1] * scale[1]],
  };
  if (![...out.focal, ...out.center].every(Number.isFinite) || !(out.focal[0] > 0 && out.focal[1] > 0)) {
    throw badData(`${what}: its camera has no finite focal length above 0`);
  }
  return out;
}

/** COLMAP's camera models, by name and parameters in COLMAP's order; null for one that is not known. */
export function colmapLens(
  model: string,
  params: readonly number[],
): (Pinhole & { distortion: LensDistortion | undefined }) | null {
  const [p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11] = params.map((value) => value ?? 0) as [number, ...number[]];
  const single = { focal: [p0, p0], center: [p1, p2] } as Pinhole;
  const double = { focal: [p0, p1], center: [p2, p3] } as Pinhole;
  const opencv = { model: 'opencv', k1: p4!, k2: p5!, p1: p6!, p2: p7! } as const;
  switch (model) {
    case 'SIMPLE_PINHOLE':
      return { ...single, distortion: undefined };
    case 'PINHOLE':
      return { ...double, distortion: undefined };
    case 'SIMPLE_RADIAL':
      return { ...single, distortion: { model: 'opencv', k1: p3! } };
    case 'RADIAL':
      return { ...single, distortion: { model: 'opencv', k1: p3!, k2: p4! } };
    case 'OPENCV':
      return { ...double, distortion: opencv };
    case 'FULL_OPENCV':
      return { ...double, distortion: { ...opencv, k3: p8!, k4: p9!, k5: p10!, k6: p11! } };
    case 'OPENCV_FISHEYE':
      return { ...double, distortion: { model: 'opencv_fisheye', k1: p4!, k2: p5!, k3: p6!, k4: p7! } };
    case 'SIMPLE_RADIAL_FISHEYE':
      return { ...single, distortion: { model: 'opencv_fisheye', k1: p3! } };
    case 'RADIAL_FISHEYE':
      return { ...single, distortion: { model: 'opencv_fisheye', k1: p3!, k2: p4! } };
    default:
      return null;
  }
}
