import type { CameraValues, HeadHandle } from './head.js';

/** native/head's fit, matte and texture, as bindings/head_fit.cpp exports them, in the same order. */
export interface HeadFitAddon {
  /**
   * Where the camera stood, from one photo's landmarks and the head's mean shape.
   * @param landmarks [68][2] pixels of the photo, iBUG order.
   * @param weights [68] confidences ≥ 0, or null for ones; 0 leaves a landmark out.
   * Throws ERR_DAF_BAD_ARGUMENT for landmarks that are not finite, coincide, lie on a line or are fewer than six.
   */
  estimatePose(
    head: HeadHandle,
    landmarks: Float32Array,
    weights: Float32Array | null,
    width: number,
    height: number,
    options: PoseOptions,
  ): HeadPose;
  /**
   * One identity from all photos of a person, with a camera and an expression per photo.
   * Throws ERR_DAF_BAD_ARGUMENT (naming the photo), ERR_DAF_MEMORY_LIMIT, ERR_DAF_CANCELLED.
   */
  fitHead(head: HeadHandle, views: readonly FitView[], options: FitOptions, control: Int32Array | null): HeadFit;
  /**
   * Brings the hair's shell to the outlines that mattes show; what no photo saw lies smoothly between.
   * @param positions [positionCount][3] cm.
   * @returns [positionCount][3] cm to be added; zero but for hair.
   * Throws ERR_DAF_BAD_ARGUMENT (sizes, values that are not finite, a weight not in (0, 10⁶], `bare` not in [0, 1]), ERR_DAF_MEMORY_LIMIT, ERR_DAF_CANCELLED.
   */
  fitHair(head: HeadHandle, positions: Float32Array, views: readonly HairView[], control: Int32Array | null): Float32Array;
  /**
   * The share of each pixel that shows head, hair and neck, 0…255, from the fitted silhouette and the photo's colours.
   * @param positions [positionCount][3] cm, as the photo shows the head (expression and displacement included).
   * @param photo null for the softened silhouette alone.
   * @param matte out: [height][width] of the camera.
   * Throws ERR_DAF_BAD_ARGUMENT when the sizes differ or the head covers no pixel.
   */
  headMatte(
    head: HeadHandle,
    positions: Float32Array,
    camera: CameraValues,
    photo: PhotoPixels | null,
    options: MatteOptions,
    control: Int32Array | null,
    matte: Uint8Array,
  ): void;
  /**
   * Blends all photos of a person into the head's UV atlas.
   * @param base [size][size][4] sRGB albedo in the same atlas: the measure of light, and what fills the unseen.
   * @param size texels a side, 64…4096.
   * @param texture out: [size][size][4] sRGB, alpha as in base.
   * @param observed out: [size][size]; 255 where photos decide, falling to 0 where they fade (mirrored or filled there).
   */
  projectTexture(
    head: HeadHandle,
    views: readonly TextureView[],
    base: Uint8Array,
    size: number,
    options: TextureOptions,
    control: Int32Array | null,
    texture: Uint8Array,
    observed: Uint8Array,
  ): TextureResult;
}

/** Every member is required; null means the default. */
export interface PoseOptions {
  /** Expected focal length in pixels. @defaultValue 1.5 × the longer side */
  readonly focal: number | null;
  /** Standard deviation of the focal length's logarithm around it; 0 takes it as known. @defaultValue 0.35 */
  readonly focalSpread: number | null;
  /** Principal point [x, y] in pixels; of a crop, where the whole photo's middle lies. @defaultValue the image's middle */
  readonly center: readonly [number, number] | null;
  /** Expected landmark error as a fraction of the outer-eye distance. @defaultValue 0.03 */
  readonly noise: number | null;
}

export interface HeadPose {
  readonly camera: CameraValues;
  /** Radians; yaw > 0 turns the face to its own left, pitch > 0 lifts the chin, roll > 0 tilts to its own left shoulder. */
  readonly yaw: number;
  readonly pitch: number;
  readonly roll: number;
  /** Weighted RMS landmark distance as a fraction of eyeDistance. */
  readonly residual: number;
  /** Pixels that the outer-eye distance would take facing the camera. */
  readonly eyeDistance: number;
  /** Share of the landmarks' weight that the robust fit kept, 0–1. */
  readonly inliers: number;
}

export interface FitView {
  /** [68][2] pixels. */
  readonly landmarks: Float32Array;
  readonly weights: Float32Array | null;
  readonly width: number;
  readonly height: number;
  readonly pose: PoseOptions;
}

/** Every member is required; null means the default. */
export interface FitOptions {
  /** Fit only the first so many identity modes. @defaultValue all */
  readonly identityModes: number | null;
  /** Fit only the first so many expression modes. @defaultValue all */
  readonly expressionModes: number | null;
  /** Expected landmark error per axis, fraction of the outer-eye distance. @defaultValue 0.02 */
  readonly noise: number | null;
  /** Expected size of an expression weight. @defaultValue 0.25 */
  readonly expressionSpread: number | null;
  /** How landmarks 0–16 were placed: along the visible outline, at fixed points, or what fits better. @defaultValue 'auto' */
  readonly jaw: 'auto' | 'contour' | 'fixed' | null;
  /** Add the smooth displacement that brings landmarks where the modes cannot. @defaultValue true */
  readonly displacement: boolean | null;
}

export interface HeadFit {
  /** [M] coefficients for headShape. */
  readonly identity: Float32Array;
  /** [M] posterior variance of each (prior 1). */
  readonly identityVariance: Float32Array;
  /** [positionCount][3] cm, to be added to what headShape gives. */
  readonly displacement: Float32Array;
  readonly views: readonly FittedView[];
  /** The reading of landmarks 0–16 that was used. */
  readonly jaw: 'contour' | 'fixed';
  /** RMS landmark distance over all views, as a fraction of the outer-eye distance. */
  readonly residual: number;
  /** RMS displacement of the landmarks, cm. */
  readonly displacementRms: number;
}

export interface FittedView {
  readonly camera: CameraValues;
  readonly yaw: number;
  readonly pitch: number;
  readonly roll: number;
  /** [E] weights in [0, 1] for headShape. */
  readonly expression: Float32Array;
  /** RMS landmark distance / eyeDistance with the modes alone, and with the displacement. */
  readonly modeResidual: number;
  readonly residual: number;
  readonly eyeDistance: number;
  /** 1: as consistent with the identity as the person's best photo; near 0: probably someone else. */
  readonly trust: number;
}

export interface HairView {
  readonly camera: CameraValues;
  /** [height][width] of the camera: 255 is head and hair. */
  readonly matte: Uint8Array;
  /** How much this photo counts beside the others, > 0. */
  readonly weight: number;
  /** 0: there is hair, so its shell hardly sinks below where the model has it; 1: the scalp is bare. */
  readonly bare: number;
}

/** Every member is required; null means the default. */
export interface MatteOptions {
  /** Refine the silhouette by the photo's colours; needs the photo. @defaultValue true when there is one */
  readonly refine: boolean | null;
}

/** A photo's pixels: [height][width][channels] sRGB, row by row from the top; 3 or 4 channels. */
export interface PhotoPixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
}

export interface TextureView {
  /** [positionCount][3] cm, as this photo shows the head. */
  readonly positions: Float32Array;
  readonly camera: CameraValues;
  readonly photo: PhotoPixels;
  /** [height][width] of the photo; pixels below 128 are never used. */
  readonly matte: Uint8Array;
  /** How much this photo counts beside the others, > 0, e.g. quality × trust. */
  readonly weight: number;
}

/** Every member is required; null means the default. */
export interface TextureOptions {
  /** Divide out the light of each photo. @defaultValue true */
  readonly removeLight: boolean | null;
  /** Fill what no photo saw from the other side of the face. @defaultValue true */
  readonly mirror: boolean | null;
}

export interface TextureResult {
  /** Share of the skin's surface that a photo saw, 0–1. */
  readonly observedFraction: number;
  /** Share that was filled from the other side. */
  readonly mirroredFraction: number;
  /** Per view: [3][4] first-order light, rgb × (ambient, x, y, z) in head space, linear, relative to the texture. */
  readonly lights: readonly Float32Array[];
}
