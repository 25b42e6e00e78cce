import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryDirectory } from '../../testing/engine-fixture.js';
import { cameraPosition } from '../camera.js';
import { evaluate } from '../render/evaluate.js';
import { RenderPool } from '../render/pool.js';
import type { Scene } from '../scenes/types.js';
import { cloudScene, disturbed } from './cloud.test.fixture.js';
import { movement, posesJson, type RefinedPose, refinedPoses } from './poses.js';
import { trainScene } from './train-scene.js';
import type { TrainSceneOptions } from './types.js';

const small: TrainSceneOptions = {
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

async function train(scene: Scene, options: TrainSceneOptions): Promise<{ psnr: number; poses: readonly RefinedPose[] | null }> {
  const { field, poses } = await trainScene(scene, { ...small, ...options });
  using trained = field;
  await using pool = new RenderPool(trained, 1);
  const held = scene.frames.filter(({ split }) => split === 'test');
  const { psnr } = await evaluate(pool, held, { background: [0, 0, 0], look: {} });
  return { psnr, poses };
}

/** The middle one of how many degrees poses are turned against each other's truth, but for the turn that all of them share. */
function wrong(poses: readonly Pick<RefinedPose, 'rotation'>[], truth: Scene): number {
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

t.test('disturbed poses are found again, and held-out pictures with them', { timeout: 120_000 }, async (t) => {
  const scene = cloudScene();
  const off = disturbed(scene, 1.5, 0.03);
  const given = off.frames.filter(({ split }) => split === 'train').map(({ camera }) => camera as unknown as RefinedPose);
  const before = wrong(given, scene);
  t.ok(before > 1.2 && before < 1.7, `${before}°`);
  const fixed = await train(off, { steps: 600 });
  t.equal(fixed.poses, null);
  const refined = await train(off, { steps: 600, refinePoses: true });
  const after = wrong(refined.poses!, scene);
  t.ok(after < before / 5, `${before}° → ${after}°`);
  t.ok(refined.psnr > fixed.psnr + 2, `${fixed.psnr} → ${refined.psnr} dB`);
  const { moved, turned } = movement(refined.poses!);
  t.ok(turned.median > 0.8 && turned.median < 2.2 && turned.largest >= turned.median, JSON.stringify(turned));
  t.ok(moved.median > 0.01 && moved.largest < 0.15, JSON.stringify(moved));
});

t.test('refined poses are those of an uninterrupted training', async (t) => {
  const scene = disturbed(cloudScene(), 1, 0.02);
  const options: TrainSceneOptions = { ...small, steps: 40, refinePoses: true };
  const whole = await trainScene(scene, options);
  const checkpoint = join(temporaryDirectory(t), 'state.safetensors');
  const abort = new AbortController();
  const onProgress = ({ step }: { step: number }): void => void (step >= 12 && abort.abort());
  await t.rejects(trainScene(scene, { ...options, checkpoint, signal: abort.signal, onProgress }), { code: 'ERR_DAF_CANCELLED' });
  t.ok(existsSync(checkpoint));
  await t.rejects(trainScene(scene, { ...options, refinePoses: false, checkpoint, resume: true }), {
    code: 'ERR_DAF_BAD_OPTION',
  });
  const resumed = await trainScene(scene, { ...options, checkpoint, resume: true });
  t.same(resumed.poses, whole.poses);
  t.ok(Buffer.from(resumed.field.save()).equals(Buffer.from(whole.field.save())));
  for (const { field } of [whole, resumed]) field.dispose();
});

t.test('poses are listed as in transforms.json, with how far they are from those given', (t) => {
  const frames = cloudScene().frames.slice(0, 2);
  const [first, second] = disturbed({ ...cloudScene(), frames }, 2, 0.1).frames.map(({ camera }) => camera);
  const poses = refinedPoses(frames, [first, second] as unknown as RefinedPose[]);
  for (const { moved, turned } of poses) {
    t.ok(Math.abs(moved - 0.1) < 1e-6, String(moved));
    t.ok(Math.abs(turned - 2) < 1e-6, String(turned));
  }
  const listed = JSON.parse(posesJson(poses)) as { frames: { file_path: string; transform_matrix: number[][]; moved: number }[] };
  t.equal(listed.frames[1]!.file_path, 'view-1');
  const matrix = listed.frames[1]!.transform_matrix;
  const position = cameraPosition(second!);
  for (let a = 0; a < 3; a++) {
    t.ok(Math.abs(matrix[a]![3]! - position[a]!) < 1e-6);
    for (let b = 0; b < 3; b++) t.equal(matrix[a]![b], second!.rotation[3 * b + a]);
  }
  t.same(matrix[3], [0, 0, 0, 1]);
  t.same(movement([]), { moved: { median: 0, largest: 0 }, turned: { median: 0, largest: 0 } });
  t.end();
});

t.test('classic fields learn no poses', async (t) => {
  const refused = trainScene(cloudScene(), { field: { kind: 'classic' }, refinePoses: true, steps: 1 });
  await t.rejects(refused, { code: 'ERR_DAF_UNSUPPORTED', message: /classic/ });
});
