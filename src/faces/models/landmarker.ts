import { DafError } from '../../core/contracts/errors.js';
import type { ModelFile, Pixels } from '../types.js';
import { fromTurnedBox, type TurnedBox, warpToPlanes } from '../vision/warp.js';
import { openSession } from './ort.js';

/** A model that finds 68 points within a box around a face. */
export interface Landmarker {
  /** The box to look into, as a multiple of the box around the 68 points. */
  readonly margin: number;
  /** Points [136] in the picture. */
  locate(pixels: Pixels, box: TurnedBox): Promise<Float32Array>;
  dispose(): Promise<void>;
}

const SIDE = 160;

/**
 * Peppa slim-160: BGR (x − 127) / 127, the box stretched to a square, points 0…1 of it.
 * @throws DafError ERR_DAF_VISION_MISSING, ERR_DAF_BAD_MODEL.
 */
export async function openLandmarker(model: ModelFile): Promise<Landmarker> {
  if (model.adapter !== 'peppa68') {
    throw new DafError('ERR_DAF_BAD_MODEL', `${model.file} (${model.adapter}) is not a landmark model`);
  }
  const session = await openSession(model.file);
  const planes = new Float32Array(3 * SIDE * SIDE);
  return {
    margin: 1.4,
    async locate(pixels, box) {
      warpToPlanes(pixels, box, SIDE, SIDE, { order: 'bgr', mean: 127, factor: 1 / 127, outside: 127 }, planes);
      const outputs = await session.run(planes, SIDE, SIDE);
      const [values] = outputs.values();
      if (values === undefined || values.length < 136 || !values.subarray(0, 136).every(Number.isFinite)) {
        throw new DafError('ERR_DAF_BAD_MODEL', `${model.file}: gives no 68 points`);
      }
      const points = new Float32Array(136);
      fromTurnedBox(box, values, points);
      return points;
    },
    dispose: () => session.release(),
  };
}
