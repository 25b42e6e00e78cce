import type { CameraValues } from '../../../core/addon/index.js';

/** A photo before it is encoded, with what is true of it. */
export interface Picture {
  /** Pixels a side: all are square. */
  readonly side: number;
  /** [side][side][3] sRGB */
  readonly rgb: Uint8Array;
  /** [side][side] opacity of head, hair and neck. */
  readonly mask: Uint8Array;
  readonly camera: CameraValues;
  /** [68][2] pixels */
  readonly landmarks: Float32Array;
  /** Coefficients of the head model's expressions. */
  readonly expression: Float32Array;
}
