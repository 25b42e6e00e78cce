import { type Detector, openDetector } from '#daf/faces/models/detector.js';
import { type Landmarker, openLandmarker } from '#daf/faces/models/landmarker.js';
import type { Pixels, VisionModels } from '#daf/faces/types.js';
import { decodeScaled, readHeader } from '#daf/faces/vision/decode.js';

export interface Eyes {
  readonly detector: Detector;
  readonly landmarker: Landmarker;
  dispose(): Promise<void>;
}

export async function openEyes(models: VisionModels): Promise<Eyes> {
  const detector = await openDetector(models.detector!);
  const landmarker = await openLandmarker(models.landmarks!);
  return {
    detector,
    landmarker,
    dispose: async () => {
      await Promise.all([detector.dispose(), landmarker.dispose()]);
    },
  };
}

export async function readPhoto(photo: string): Promise<Pixels> {
  return decodeScaled(photo, await readHeader(photo), 1536);
}
