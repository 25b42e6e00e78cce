import type { SparsePoints } from '../formats/points.js';
import type { FieldBox, FieldCamera, Vector3 } from '../types.js';

export type SceneSplit = 'train' | 'val' | 'test';

/** A decoded picture. */
export interface SceneImage {
  readonly width: number;
  readonly height: number;
  /** height × width × 4, sRGB, straight alpha (255 where the file has none), rows from the top. */
  readonly rgba: Uint8Array;
  /** height × width: 0 where the capture says that a pixel is not to be learnt from. Missing: every pixel counts. */
  readonly mask?: Uint8Array;
}

/** One posed picture of a scene. */
export interface SceneFrame {
  /** The picture's path as the scene writes it; for arrays the index. */
  readonly name: string;
  readonly split: SceneSplit;
  /** At the picture's own size. */
  readonly camera: FieldCamera;
  /**
   * Opens and decodes the picture; nothing is kept. Until then its file has not been opened, unless it is a training picture, whose header
   * is read to learn its size.
   * @throws DafError ERR_DAF_BAD_IMAGE; ERR_DAF_BAD_DATA: not of the camera's size; ERR_DAF_NOT_FOUND
   */
  image(): Promise<SceneImage>;
}

/** A capture: posed pictures of one thing or place. Its space is that of the file's poses; lengths are in that unit. */
export interface Scene {
  readonly format: 'transforms' | 'blender' | 'colmap' | 'tiny-nerf';
  /** The file that describes it. */
  readonly path: string;
  /** By name. */
  readonly frames: readonly SceneFrame[];
  /** What matters lies in here: all of the scene, or, where it is unbounded, its middle. */
  readonly box: FieldBox;
  /** Something lies around the box and fills the pictures' background: the field must reach there. */
  readonly unbounded: boolean;
  /** Nothing is nearer to any camera than this. */
  readonly near: number;
  /** Pictures show transparent pixels where nothing is. */
  readonly hasAlpha: boolean;
  /** What is seen where nothing is, and what transparent pixels are shown on; null where an unbounded field fills every pixel. */
  readonly background: Vector3 | null;
  readonly points: SparsePoints | null;
}

export interface SceneOptions {
  /** Frames of one split only. @defaultValue every frame */
  readonly split?: SceneSplit | 'all';
  /** @defaultValue white for pictures with alpha, black for `tiny_nerf_data.npz` and whatever else is bounded */
  readonly background?: 'white' | 'black' | Vector3;
  /** Instead of the box found from points and cameras. */
  readonly box?: FieldBox;
  /** @defaultValue whether the pictures have a background: no alpha, no `aabb_scale` of 1 */
  readonly unbounded?: boolean;
  /** Cancels within 50 ms, while pictures are looked at: the promise rejects with ERR_DAF_CANCELLED. */
  readonly signal?: AbortSignal;
}
