import type { FitView, PoseOptions } from '../core/addon/index.js';
import { DafError } from '../core/contracts/errors.js';
import { decodePng } from '../faces/vision/encode.js';
import { decodeObservation, type Observation } from './observation.js';

/** An observation with its image decoded. */
export interface OpenPhoto {
  readonly observation: Observation;
  readonly width: number;
  readonly height: number;
  /** [height][width][3] sRGB. */
  readonly rgb: Uint8Array;
  /** [height][width]: 255 is head. */
  readonly matte: Uint8Array;
}

/** @throws DafError ERR_DAF_BAD_DATA when the image is not what the observation states. */
export async function openPhoto(bytes: Uint8Array): Promise<OpenPhoto> {
  const observation = decodeObservation(bytes);
  const { width, height } = observation;
  const { pixels, alpha } = await decodePng(observation.image);
  if (alpha === null || pixels.width !== width || pixels.height !== height) {
    throw new DafError(
      'ERR_DAF_BAD_DATA',
      `the image of an observation is ${pixels.width}×${pixels.height}, not ${width}×${height}`,
    );
  }
  return { observation, width, height, rgb: pixels.data, matte: alpha };
}

/** A portrait lens: 1.5 × the photo's longer side, as native/head/fit expects, told in crop pixels. */
const USUAL_FOCAL = 1.5;

export function poseOptions(photo: Pick<Observation, 'photoSide' | 'principal'>): PoseOptions {
  return { focal: USUAL_FOCAL * photo.photoSide, focalSpread: null, center: photo.principal, noise: null };
}

export function fitView(photo: Observation): FitView {
  return {
    landmarks: Float32Array.from(photo.landmarks),
    weights: Float32Array.from(photo.weights),
    width: photo.width,
    height: photo.height,
    pose: poseOptions(photo),
  };
}
