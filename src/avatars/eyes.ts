import { stat } from 'node:fs/promises';
import { DafError } from '../core/contracts/errors.js';
import { photoPath } from '../faces/datasets/folder.js';
import { ortMissing } from '../faces/models/ort.js';
import { resolveModels } from '../faces/models/resolve.js';
import type { Vision, VisionModels } from '../faces/types.js';
import { openVision } from '../faces/vision/prepare.js';
import { sidecarPaths } from '../faces/vision/sidecar.js';
import type { InputRecord, PhotoRecord } from './input.js';
import type { AvatarOptions } from './options.js';

const NO_MODELS: VisionModels = { detector: null, landmarks: null };

/** The vision of this thread. Photos with side-cars need no model: what is wrong with the models is the refusal of those without. */
export async function openEyes(options: AvatarOptions): Promise<Vision> {
  const { cropSide } = options.level;
  try {
    return await openVision({ models: await modelsOf(options), cropSide });
  } catch (problem) {
    const blind = await openVision({ models: NO_MODELS, cropSide });
    return {
      async prepare(photo) {
        try {
          return await blind.prepare(photo);
        } catch (error) {
          throw DafError.from(error).code === 'ERR_DAF_MODEL_MISSING' ? problem : error;
        }
      },
      dispose: () => blind.dispose(),
    };
  }
}

/**
 * Before a cluster of this machine starts: could any photo be used at all?
 * @throws DafError ERR_DAF_VISION_MISSING where onnxruntime is not installed and all photos need it; ERR_DAF_BAD_MODEL,
 * ERR_DAF_MODEL_MISSING or ERR_DAF_NOT_FOUND for models that the options name and that are none: nobody means to have every photo refused.
 */
export async function checkEyes(records: readonly InputRecord[], options: AvatarOptions): Promise<void> {
  const missing = ortMissing();
  if (missing === null) {
    if (options.models === null && options.detector === null && options.landmarks === null) return;
    const vision = await openVision({ models: await modelsOf(options) });
    await vision.dispose();
    return;
  }
  const photos = records.filter((record) => 'path' in record);
  for (const photo of photos) if (await hasSidecar(photo)) return;
  const { detector, landmarks } = await modelsOf(options).catch(() => NO_MODELS);
  if (photos.length > 0 && detector !== null && landmarks !== null) throw missing;
}

/** What was found once is not looked for again at every photo: added models are read whole to check their hash. */
const resolved = new Map<string, VisionModels>();

async function modelsOf({ models, detector, landmarks }: AvatarOptions): Promise<VisionModels> {
  const key = JSON.stringify([models, detector, landmarks]);
  const known = resolved.get(key);
  if (known !== undefined) return known;
  const found = await resolveModels({
    models: models ?? undefined,
    detector: detector ?? undefined,
    landmarks: landmarks ?? undefined,
  });
  resolved.set(key, found);
  return found;
}

async function hasSidecar(photo: PhotoRecord): Promise<boolean> {
  if (photo.member !== undefined) return photo.sidecar != null;
  for (const path of sidecarPaths(photoPath(photo))) {
    // Whatever lies there is looked at by the task, which says what is wrong with it.
    if ((await stat(path).catch(() => null)) !== null) return true;
  }
  return false;
}
