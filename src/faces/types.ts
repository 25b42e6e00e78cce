/**
 * Coordinates: pixels, x right, y down, (0, 0) is the top left corner of the image and pixel centres are at +0.5 (the convention
 * of native/head/camera.h). "Photo" is the upright photo: EXIF orientation applied, full resolution.
 */

/** 8-bit sRGB, rows from the top, interleaved, no padding. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** 3: RGB. */
  readonly channels: 3;
  readonly data: Uint8Array;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A face as a detector found it. */
export interface DetectedFace {
  readonly box: Box;
  /** 0…1. */
  readonly confidence: number;
  /**
   * How far the face's own up direction is turned clockwise from the image's, radians, −π…π; a detector without points
   * answers in steps of a quarter turn.
   */
  readonly roll: number;
}

/** 68 points in iBUG order as x0, y0, x1, y1, …: [136]. */
export type LandmarkPoints = Float32Array;

export interface FaceLandmarks {
  readonly points: LandmarkPoints;
  /** 0…1; 1 for side-car landmarks. */
  readonly confidence: number;
  readonly source: 'model' | 'sidecar';
}

/**
 * How a crop lies in its photo: photo = origin + Turn(quarterTurns) · crop / scale, where one quarter turn takes crop (x, y) to
 * (−y, x), i.e. the crop was taken from a part of the photo lying on its right side. Use `cropToPhoto` and `photoToCrop` of
 * vision/crop.ts.
 */
export interface CropTransform {
  /** Photo position of the crop's (0, 0) corner. */
  readonly originX: number;
  readonly originY: number;
  /** Crop pixels per photo pixel, ≤ 1: 1 unless the head is larger than 768 photo pixels. */
  readonly scale: number;
  readonly quarterTurns: 0 | 1 | 2 | 3;
}

/** Each part and the total lie in 0…1 and are rounded to 6 digits, so that the same photo always ranks the same. */
export interface FaceQuality {
  /** size · sharpness · exposure · confidence, each softened; times the pose factor once `withPose` was called. */
  readonly total: number;
  readonly size: number;
  readonly sharpness: number;
  readonly exposure: number;
  readonly confidence: number;
}

export interface FaceWarning {
  readonly code: 'ERR_DAF_SEVERAL_FACES';
  readonly message: string;
}

/** What vision makes of one photo: everything later stages need, so that nobody opens the photo again. */
export interface PreparedFace {
  /** The head, ≤ 768×768, pixels as in the photo (resampled only when the head is larger); clipped at the photo's borders. */
  readonly crop: Pixels;
  /** In crop pixels; points may lie outside the crop where the face leaves the photo. */
  readonly landmarks: FaceLandmarks;
  readonly transform: CropTransform;
  /** The face's box in the photo: the detector's, or that of the side-car landmarks. */
  readonly box: Box;
  readonly photo: { readonly width: number; readonly height: number };
  /** SHA-256 of the photo's file, hex. */
  readonly contentHash: string;
  readonly quality: FaceQuality;
  readonly warnings: readonly FaceWarning[];
}

/** What a data set says of a face, in pixels of the upright photo. */
export interface FaceHint {
  /** Width and height of the picture that the numbers are of; null: the photo's own. */
  readonly size: readonly [number, number] | null;
  /** [136]: taken as side-car landmarks are, where no side-car lies beside the photo. */
  readonly points68: readonly number[] | null;
  /** [10]: eyes, nose, corners of the mouth, the image's left one first. They say which face is meant, as the box does. */
  readonly points5: readonly number[] | null;
  readonly box: Box | null;
}

/** A photo: a file (bytes where the name is not UTF-8) or what was in it. */
export type PhotoSource =
  | {
      readonly path: string | Buffer;
      /** Side-car file; undefined looks beside the photo, null looks nowhere. */
      readonly sidecar?: string | Buffer | null | undefined;
      readonly hint?: FaceHint | null | undefined;
    }
  | {
      readonly bytes: Uint8Array;
      /** Contents of a side-car file and its name, whose ending tells the format. */
      readonly sidecar?: { readonly name: string; readonly bytes: Uint8Array } | undefined;
      readonly hint?: FaceHint | null | undefined;
    };

/** An .onnx file and the adapter that its inputs and outputs call for. */
export interface ModelFile {
  readonly file: string;
  readonly adapter: 'yunet' | 'ultraface' | 'peppa68' | 'daf68';
}

/** Null: none was given; side-car landmarks still work. Plain data: it can be a job's parameter. */
export interface VisionModels {
  readonly detector: ModelFile | null;
  readonly landmarks: ModelFile | null;
}

export interface VisionOptions {
  readonly models: VisionModels;
  /**
   * What decoding one photo may take, bytes. @defaultValue 160 MB (160 · 2^20), which admits a progressive JPEG of 50 megapixels.
   */
  readonly decodeBytes?: number | undefined;
  /** Largest side of a crop, pixels. @defaultValue 768, the most */
  readonly cropSide?: number | undefined;
}

/** The eyes of a task thread: made once by `openVision` and used for every photo. Not for concurrent calls. */
export interface Vision {
  /**
   * Decode, find the largest face and its landmarks, crop, score.
   * @throws DafError ERR_DAF_BAD_IMAGE, ERR_DAF_IMAGE_TOO_LARGE, ERR_DAF_NO_FACE, ERR_DAF_BAD_LANDMARKS, ERR_DAF_PERMISSION,
   * ERR_DAF_NOT_FOUND, ERR_DAF_IO: this photo is refused. ERR_DAF_MODEL_MISSING, ERR_DAF_BAD_MODEL: so is every photo without
   * side-car. ERR_DAF_VISION_MISSING: this machine lacks onnxruntime, which is not the photo's fault.
   */
  prepare(photo: PhotoSource): Promise<PreparedFace>;
  dispose(): Promise<void>;
}

/** One photo of a data set. */
export interface DatasetPhoto {
  /** As the user would type it: input path joined with what lies below it, `/`-separated. Invalid UTF-8 is shown as U+FFFD. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** The path in hexadecimal where it is not UTF-8, so that it can be opened all the same; else null. */
  readonly pathBytes: string | null;
  /** {@link DatasetIdentity.key} */
  readonly identity: string;
  readonly bytes: number;
}

export interface DatasetIdentity {
  /** Safe as a file name: 1…80 of [A-Za-z0-9._-] and letters of any script, no leading dot; distinct also where case is ignored. */
  readonly key: string;
  /** The folder's or file's name as it is. */
  readonly name: string;
  /** The `transforms.json` in the person's folder, which says where the photos were taken from; null: there is none. */
  readonly capture: string | null;
}

export interface DatasetRefusal {
  readonly input: string;
  readonly error: import('../core/contracts/errors.js').DafError;
}

export interface PhotoDataset {
  /** Sorted by key. */
  readonly identities: readonly DatasetIdentity[];
  /** Sorted by (identity, name). */
  readonly photos: readonly DatasetPhoto[];
  /** Sorted by input. Non-image files, unreadable folders, empty folders. */
  readonly refusals: readonly DatasetRefusal[];
}
