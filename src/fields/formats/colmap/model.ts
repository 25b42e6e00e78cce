import type { SparsePoints } from '../points.js';

/** A reconstruction as COLMAP writes it: its conventions, nothing converted. */
export interface ColmapModel {
  /** By camera id. */
  readonly cameras: ReadonlyMap<number, ColmapCamera>;
  readonly images: readonly ColmapImage[];
  /** Null where the points' file is missing. */
  readonly points: SparsePoints | null;
}

export interface ColmapCamera {
  /** COLMAP's name of the model, e.g. OPENCV. */
  readonly model: string;
  readonly width: number;
  readonly height: number;
  /** In the model's order. */
  readonly params: readonly number[];
}

export interface ColmapImage {
  /** Path relative to the images' folder. */
  readonly name: string;
  readonly cameraId: number;
  /** World to camera (x right, y down, z forward): quaternion w x y z, then the translation. */
  readonly rotation: readonly [number, number, number, number];
  readonly translation: readonly [number, number, number];
}

/** Every model that COLMAP has, by its number in binary files: name and how many parameters it takes. */
export const COLMAP_MODELS: readonly (readonly [name: string, params: number])[] = [
  ['SIMPLE_PINHOLE', 3],
  ['PINHOLE', 4],
  ['SIMPLE_RADIAL', 4],
  ['RADIAL', 5],
  ['OPENCV', 8],
  ['OPENCV_FISHEYE', 8],
  ['FULL_OPENCV', 12],
  ['FOV', 5],
  ['SIMPLE_RADIAL_FISHEYE', 4],
  ['RADIAL_FISHEYE', 5],
  ['THIN_PRISM_FISHEYE', 12],
];
