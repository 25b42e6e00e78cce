import t from 'tap';
import { cloudScene, disturbed } from './cloud.test.fixture.js';
import { movement } from './poses.js';
import { posesOf, train, wrong } from './poses.test.fixture.js';

t.test('disturbed poses are found again, and held-out pictures with them', { timeout: 120_000 }, async (t) => {
  const scene = cloudScene();
  const off = disturbed(scene, 1.5, 0.03);
  const before = wrong(posesOf(off), scene);
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
