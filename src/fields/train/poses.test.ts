import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryDirectory } from '../../testing/engine-fixture.js';
import { cameraPosition } from '../camera.js';
import { cloudScene, disturbed } from './cloud.test.fixture.js';
import { movement, posesJson, type RefinedPose, refinedPoses } from './poses.js';
import { posesOf, small, train, wrong } from './poses.test.fixture.js';
import { trainScene } from './train-scene.js';
import type { TrainSceneOptions } from './types.js';

t.test('disturbed poses are found again', { timeout: 120_000 }, async (t) => {
  const scene = cloudScene();
  const off = disturbed(scene, 1.5, 0.03);
  const before = wrong(posesOf(off), scene);
  t.ok(before > 1.2 && before < 1.7, `${before}°`);
  const { poses } = await train(off, { steps: 400, refinePoses: true });
  const after = wrong(poses!, scene);
  t.ok(after < before / 2, `${before}° → ${after}°`);
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

t.test('a classic field learns poses too', async (t) => {
  const scene = disturbed(cloudScene(), 1, 0.02);
  const field = { kind: 'classic', width: 16, depth: 2, skips: [], viewWidth: 8 } as const;
  const trained = await trainScene(scene, { ...small, field, steps: 24, refinePoses: true });
  t.ok(movement(trained.poses!).turned.median > 0);
  trained.field.dispose();
});
