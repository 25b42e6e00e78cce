/**
 * What the fields take and give. Space is the caller's: for avatars head space (y up, +z out of the face, +x the subject's left,
 * centimetres); every length and depth below is in that unit. Colours are sRGB-encoded, straight (not premultiplied) alpha.
 */

import type { ClassicOptions } from './classic/types.js';
import type { Precision, RenderedImage, RenderOptions } from './render/types.js';

export type * from './classic/types.js';
export type * from './render/types.js';

export type Vector3 = readonly [number, number, number];

/** An axis-aligned box; a field is defined inside it and, unless unbounded, empty outside. */
export interface FieldBox {
  readonly min: Vector3;
  readonly max: Vector3;
  /** The field goes on outside the box, ever coarser up to 64 half sides away: for scenes with a background. @defaultValue false */
  readonly unbounded?: boolean;
}

/**
 * What a lens does to a pinhole's picture, as OpenCV writes it; coefficients left out are 0.
 * `opencv`: radial (1 + k1 r² + k2 r⁴ + k3 r⁶) / (1 + k4 r² + k5 r⁴ + k6 r⁶) and tangential p1, p2.
 * `opencv_fisheye`: θ (1 + k1 θ² + k2 θ⁴ + k3 θ⁶ + k4 θ⁸) of the angle θ from the axis.
 */
export type LensDistortion =
  | {
      readonly model: 'opencv';
      readonly k1?: number;
      readonly k2?: number;
      readonly k3?: number;
      readonly k4?: number;
      readonly k5?: number;
      readonly k6?: number;
      readonly p1?: number;
      readonly p2?: number;
    }
  | {
      readonly model: 'opencv_fisheye';
      readonly k1?: number;
      readonly k2?: number;
      readonly k3?: number;
      readonly k4?: number;
    };

/**
 * A camera. Camera space is OpenGL's: x right, y up, looking down −z. Pixels: x right, y down, (0, 0) the top left corner of the
 * image, pixel centres at +0.5.
 */
export interface FieldCamera {
  /** Row-major 3×3, field space → camera space. */
  readonly rotation: ArrayLike<number>;
  /** In camera space. */
  readonly translation: ArrayLike<number>;
  /** Pixels; one number, or horizontal and vertical. */
  readonly focal: number | readonly [number, number];
  /** Principal point, pixels. */
  readonly center: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
  /** Missing: a pinhole. */
  readonly distortion?: LensDistortion;
}

export type FieldKind = 'hashgrid' | 'classic';

export interface HashGridOptions {
  readonly kind: 'hashgrid';
  /** Resolution levels. @defaultValue 12 */
  readonly levels?: number;
  /** Numbers per table entry: 2, 4 or 8; levels × features ≤ 64. @defaultValue 2 */
  readonly features?: number;
  /** log2 of the entries of one level, 8–22. @defaultValue 15 */
  readonly log2Entries?: number;
  /** Cells along the box at the coarsest level. @defaultValue 8 */
  readonly coarsest?: number;
  /** Cells along the box at the finest level. @defaultValue 256 */
  readonly finest?: number;
  /** Width of the density network's hidden layer, a multiple of 8 up to 128. @defaultValue 64 */
  readonly densityWidth?: number;
  /** Width of the colour network's two hidden layers, a multiple of 8 up to 128. @defaultValue 64 */
  readonly colorWidth?: number;
  /** Numbers that stand for the look of each training picture, a multiple of 4 up to 32; renderings have the mean look. @defaultValue 0 */
  readonly appearance?: number;
  /** Training pictures, where they have a look each. @defaultValue 0 */
  readonly images?: number;
}

export type FieldOptions = (HashGridOptions | ClassicOptions) & {
  readonly box: FieldBox;
  /** Cells of the occupancy grid along each axis: a multiple of 8, 8–256. @defaultValue 64 */
  readonly occupancy?: number;
  /** Seed of the initial weights. @defaultValue 1 */
  readonly seed?: number;
};

/** One picture to learn from. Arrays are copied when a session is made; the caller may reuse them. */
export interface TrainingView {
  /**
   * `photo`: a real picture; its matte may be soft, and its depth (if given) only tells where to look.
   * `supervised`: a rendered buffer whose colour, opacity and depth are the truth.
   */
  readonly source: 'photo' | 'supervised';
  readonly camera: FieldCamera;
  /** height × width × 3; bytes, or floats in [0, 1]. */
  readonly rgb: Uint8Array | Float32Array;
  /** height × width; bytes, or floats in [0, 1]. Missing means 1 everywhere. */
  readonly alpha?: Uint8Array | Float32Array | null;
  /** height × width, along the viewing direction, 0 or Infinity where nothing is hit. Required for `supervised`. */
  readonly depth?: Float32Array | null;
}

export interface TrainingOptions {
  /** Share of each step's rays that come from `supervised` views, when both sources exist. @defaultValue 0.5 */
  readonly supervisedFraction?: number;
  /** Field samples of one step: what a step costs, whatever the views. @defaultValue 2048 */
  readonly samplesPerStep?: number;
  /** Steps the learning-rate schedule is laid out for. @defaultValue 600 */
  readonly totalSteps?: number;
  /** Adam's rate; it falls to a twentieth over the second half of `totalSteps`. @defaultValue 0.02, classic 0.01 */
  readonly learningRate?: number;
  /** Weight of the opacity (matte) loss against the colour loss. @defaultValue 1, classic 0.1 */
  readonly opacityWeight?: number;
  /** Weight of the depth loss on supervised rays. @defaultValue 0.5, classic 0.02 */
  readonly depthWeight?: number;
  /** Share of `totalSteps` in which density is learnt alone, from opacity and depth. 0 without supervised views. @defaultValue 0.1, classic 0 */
  readonly colorDelay?: number;
  /** How far before a known surface sampling begins, and how far behind it ends. @defaultValue 1/32 of the box's longest edge */
  readonly surfaceMargin?: number;
  /** Largest number of samples of a ray without known depth, 8–512. @defaultValue 96 */
  readonly maxSamplesPerRay?: number;
  /** @defaultValue 1 */
  readonly seed?: number;
}

/** What the last call of {@link TrainingSession.run} did. */
export interface TrainingReport {
  /** Steps taken since the session began. */
  readonly step: number;
  /** Rays and samples of this call. */
  readonly rays: number;
  readonly samples: number;
  /** Means over this call's rays. */
  readonly loss: number;
  readonly colorLoss: number;
  readonly opacityLoss: number;
  readonly depthLoss: number;
  /** Peak signal-to-noise ratio of this call's rays, dB; NaN while colour waits. */
  readonly psnr: number;
  /** Share of the occupancy grid's cells that are not known to be empty. */
  readonly occupied: number;
}

/** Cancel and progress words {cancel, done, total} over a SharedArrayBuffer. */
export type ControlWords = Int32Array;

/** Training that can stop after any step and go on later. */
export interface TrainingSession extends Disposable {
  /**
   * Takes `steps` steps. Deterministic for a given seed and instruction set, however the steps are divided into calls.
   * @throws DafError ERR_DAF_CANCELLED between steps; the field is then as after the last whole step.
   */
  run(steps: number, control?: ControlWords | null): TrainingReport;
  /** Gives the native memory back. The field stays. */
  dispose(): void;
}

export interface FieldValues {
  /** Per unit of length, n. */
  readonly density: Float32Array;
  /** n × 3 in [0, 1]; only when directions were given. */
  readonly color?: Float32Array;
}

/**
 * A radiance field in native memory: `Field.create(options)` or `Field.load(bytesOrPath)` make one. Calls are synchronous and belong in a
 * worker thread.
 */
export interface NeuralField extends Disposable {
  readonly kind: FieldKind;
  readonly box: FieldBox;
  readonly parameterCount: number;
  readonly learnedBackground: boolean;
  /** Copies the views into native memory and prepares the occupancy grid. @throws DafError ERR_DAF_BAD_ARGUMENT, ERR_DAF_MEMORY_LIMIT */
  train(views: readonly TrainingView[], options?: TrainingOptions): TrainingSession;
  render(camera: FieldCamera, options?: RenderOptions): RenderedImage;
  /** Density, and colour seen along directions (unit vectors, n × 3), at points (n × 3); `precision` as in RenderLook. */
  evaluate(
    points: Float32Array,
    directions?: Float32Array | null,
    control?: ControlWords | null,
    precision?: Precision,
  ): FieldValues;
  /** safetensors bytes: weights, box, occupancy. */
  save(): Uint8Array;
  /** The same into a file, replaced atomically. */
  saveFile(path: string): void;
  /** Gives the native memory back at once; later calls throw ERR_DAF_BAD_ARGUMENT. */
  dispose(): void;
}
