import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { JsonObject } from './json.js';
import type { RawScene } from './raw.js';
import { transformsFrames } from './transforms.js';

export const BLENDER_TRAIN = 'transforms_train.json';

/** The synthetic sets rendered with Blender: `transforms_{train,val,test}.json`, each with the frames of one split. */
export function readBlender(folder: string): RawScene {
  const splits = (['train', 'val', 'test'] as const).map((split) => ({ split, path: join(folder, `transforms_${split}.json`) }));
  const frames = splits
    .filter(({ split, path }) => split === 'train' || existsSync(path))
    .flatMap(({ split, path }) => transformsFrames(JsonObject.read(path), path, () => split));
  return { format: 'blender', path: join(folder, BLENDER_TRAIN), frames, points: null, stated: null };
}
