import { temporaryDirectory } from '../../testing/engine-fixture.js';
import { selfPortrait, untrained } from '../render/portrait.test.fixture.js';
import { openScene } from '../scenes/open.js';
import type { Scene } from '../scenes/types.js';
import type { TrainSceneOptions } from './types.js';

export const small: TrainSceneOptions = {
  field: { kind: 'hashgrid', levels: 6, log2Entries: 12, finest: 48, densityWidth: 16, colorWidth: 16, occupancy: 32 },
  box: { min: [-1, -1, -1], max: [1, 1, 1] },
  samplesPerStep: 2048,
  samplesPerEdge: 64,
  threads: 2,
};

/** A small capture with transparent pixels, made by a field of random weights. */
export async function capture(t: { teardown(fn: () => void): void }): Promise<Scene> {
  const folder = temporaryDirectory(t as Parameters<typeof temporaryDirectory>[0]);
  using field = untrained();
  await selfPortrait(field, folder);
  return openScene(folder);
}
