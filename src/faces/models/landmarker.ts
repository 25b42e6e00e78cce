import { DafError } from '../../core/contracts/errors.js';
import type { ModelFile, Pixels } from '../types.js';
import { fromTurnedBox, type TurnedBox, warpToPlanes } from '../vision/warp.js';
import { ROLE_OF } from './identify.js';
import { openSession } from './ort.js';

/** What a landmarker sees in a box. */
export interface Located {
  /** [136], in the picture. */
  readonly points: Float32Array;
  /** Chance that the box frames a face, 0…1; null where the model does not say. */
  readonly face: number | null;
}

/** A model that finds 68 points within a box around a face. */
export interface Landmarker {
  /** The box to look into, as a multiple of the box around the 68 points. */
  readonly margin: number;
  /** Pixels along each side of what it sees of a box. */
  readonly side: number;
  /** Does it also say whether there is a face? */
  readonly judges: boolean;
  locate(pixels: Pixels, box: TurnedBox): Promise<Located>;
  dispose(): Promise<void>;
}

const PEPPA_SIDE = 160;

/**
 * Peppa slim-160 and DAF's own: BGR (x − 127) / 127, points 0…1 of what was shown. Peppa's box is stretched to a square, DAF's
 * grows to one, and DAF's says whether there is a face.
 * @throws DafError ERR_DAF_VISION_MISSING, ERR_DAF_BAD_MODEL.
 */
export async function openLandmarker(model: ModelFile): Promise<Landmarker> {
  if (ROLE_OF[model.adapter] !== 'landmarks') {
    throw new DafError('ERR_DAF_BAD_MODEL', `${model.file} (${model.adapter}) is not a landmark model`);
  }
  const session = await openSession(model.file);
  const side = session.inputWidth ?? PEPPA_SIDE;
  const planes = new Float32Array(3 * side * side);
  const grows = model.adapter === 'daf68';
  return {
    margin: 1.4,
    side,
    judges: grows,
    async locate(pixels, given) {
      const box = grows ? squared(given) : given;
      warpToPlanes(pixels, box, side, side, { order: 'bgr', mean: 127, factor: 1 / 127, outside: 127 }, planes);
      const outputs = await session.run(planes, side, side);
      const values = outputs.get('points') ?? outputs.values().next().value;
      if (values === undefined || values.length < 136 || !values.subarray(0, 136).every(Number.isFinite)) {
        throw new DafError('ERR_DAF_BAD_MODEL', `${model.file}: gives no 68 points`);
      }
      const points = new Float32Array(136);
      fromTurnedBox(box, values, points);
      return { points, face: grows ? faceOf(outputs, model) : null };
    },
    dispose: () => session.release(),
  };
}

/** @throws DafError ERR_DAF_BAD_MODEL */
function faceOf(outputs: ReadonlyMap<string, Float32Array>, model: ModelFile): number {
  const face = outputs.get('face')?.[0];
  if (face !== undefined && face >= 0 && face <= 1) return face;
  throw new DafError('ERR_DAF_BAD_MODEL', `${model.file}: does not say whether there is a face`);
}

/** The square around the same centre that holds the box; in a mirror where the box is. */
function squared(box: TurnedBox): TurnedBox {
  const side = Math.max(Math.abs(box.width), Math.abs(box.height));
  return { ...box, width: Math.sign(box.width) * side, height: side };
}
