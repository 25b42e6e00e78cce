import { join } from 'node:path';
import { sharedData } from '../../testing/shared-data.test.fixture.js';
import { type Evaluation, evaluate } from '../render/evaluate.js';
import { RenderPool } from '../render/pool.js';
import type { RenderLook } from '../render/types.js';
import { openScene } from '../scenes/open.js';
import { importField } from './import-field.js';

const shared = sharedData();
export const skipLego = shared === null ? 'no shared data' : false;

/** The published fine network of the lego scene against tiny-lego's held-out views, 192 samples of each ray between its bounds. */
export async function legoAgainstTinyLego(look: RenderLook, views: number): Promise<Evaluation> {
  const weights = join(shared!, 'scenes', 'lego-checkpoint-128x4', 'weights_f32.npz');
  const { field } = importField(weights);
  using _ = field;
  const scene = await openScene(join(shared!, 'scenes', 'tiny-lego'), { split: 'test' });
  await using pool = new RenderPool(field, 1);
  return await evaluate(pool, scene.frames.slice(0, views), {
    background: [0, 0, 0],
    look: { near: 2, far: 6, samplesPerRay: 192, ...look },
  });
}
