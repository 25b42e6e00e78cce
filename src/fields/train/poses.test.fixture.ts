import { evaluate } from '../render/evaluate.js';
import { RenderPool } from '../render/pool.js';
import type { Scene } from '../scenes/types.js';
import type { RefinedPose } from './poses.js';
import { trainScene } from './train-scene.js';
import type { TrainSceneOptions } from './types.js';

export const small: TrainSceneOptions = {
  field: {
    kind: 'hashgrid',
    levels: 8,
    log2Entries: 13,
    coarsest: 8,
    finest: 96,
    densityWidth: 32,
    colorWidth: 32,
    occupancy: 32,
  },
  samplesPerStep: 4096,
  samplesPerEdge: 96,
  threads: 2,
};

export async function train(
  scene: Scene,
  options: TrainSceneOptions,
): Promise<{ psnr: number; poses: readonly RefinedPose[] | null }> {
  const { field, poses } = await trainScene(scene, { ...small, ...options });
  using trained = field;
  await using pool = new RenderPool(trained, 1);
  const held = scene.frames.filter(({ split }) => split === 'test');
  const { psnr } = await evaluate(pool, held, { background: [0, 0, 0], look: {} });
  return { psnr, poses };
}

/** The middle one of how many degrees poses are turned against each other's truth, but for the turn that all of them share. */
export function wrong(poses: readonly Pick<RefinedPose, 'rotation'>[], truth: Scene): number {
  const frames = truth.frames.filter(({ split }) => split === 'train');
  const turns = poses.map(({ rotation: r }, i) => {
    const w = frames[i]!.camera.rotation;
    const entry = (a: number, b: number): number => [0, 1, 2].reduce((sum, k) => sum + r[3 * k + a]! * w[3 * k + b]!, 0);
    return [entry(2, 1) - entry(1, 2), entry(0, 2) - entry(2, 0), entry(1, 0) - entry(0, 1)].map((value) => value / 2);
  });
  const mean = [0, 1, 2].map((a) => turns.reduce((sum, turn) => sum + turn[a]! / turns.length, 0));
  const degrees = turns.map((turn) => (Math.hypot(...turn.map((value, a) => value - mean[a]!)) * 180) / Math.PI);
  return degrees.sort((a, b) => a - b)[degrees.length >> 1]!;
}

export function posesOf(scene: Scene): readonly RefinedPose[] {
  return scene.frames.filter(({ split }) => split === 'train').map(({ camera }) => camera as unknown as RefinedPose);
}
