import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { openScene } from '../scenes/open.js';
import { evaluate } from './evaluate.js';
import { RenderPool } from './pool.js';
import { camerasOf, selfPortrait, untrained } from './portrait.test.fixture.js';

test('threads render the bytes that one thread renders', async (t) => {
  using field = untrained();
  const [camera] = camerasOf(100);
  const look = { samples: 64, floats: true, normals: true } as const;
  const whole = field.render(camera!, look);
  for (const threads of [1, 3]) {
    await using pool = new RenderPool(field, threads);
    const seen: number[] = [];
    const image = await pool.render(camera!, { ...look, onProgress: (fraction) => seen.push(fraction) });
    for (const plane of ['rgba', 'depth', 'opacity', 'color', 'normal'] as const) t.same(image[plane], whole[plane], plane);
    t.equal(image.stats.samples, whole.stats.samples);
    t.equal(seen.at(-1), 1);
    t.same(
      seen,
      seen.toSorted((a, b) => a - b),
    );
  }
});

test('a pool can be cancelled, goes on afterwards, and passes errors with their code', async (t) => {
  using field = untrained();
  await using pool = new RenderPool(field, 2);
  const [camera] = camerasOf(400);
  const abort = new AbortController();
  const slow = pool.render(camera!, { exhaustive: true, samples: 4096, signal: abort.signal });
  setTimeout(() => abort.abort(), 100);
  await t.rejects(slow, { code: 'ERR_DAF_CANCELLED' });
  await t.rejects(pool.render(camera!, { signal: AbortSignal.abort() }), { code: 'ERR_DAF_CANCELLED' });
  await t.rejects(pool.render(camera!, { samples: 5 }), { code: 'ERR_DAF_BAD_ARGUMENT' });
  await t.rejects(pool.render(camera!, { sampels: 50 } as object), { code: 'ERR_DAF_BAD_OPTION' });
  t.equal((await pool.render(camerasOf(40)[0]!)).width, 40);
});

test('a field scores its own pictures by the rounding of their bytes alone, on any background', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'daf-eval-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  using field = untrained();
  await selfPortrait(field, folder);
  const { frames } = await openScene(folder, { split: 'test' });
  t.equal(frames.length, 3);
  await using pool = new RenderPool(field, 2);
  for (const background of [[1, 1, 1], [0, 0, 0], 'random'] as const) {
    const progress: number[] = [];
    const result = await evaluate(pool, frames, { background, look: {}, onProgress: (fraction) => progress.push(fraction) });
    t.ok(result.psnr > 50 && result.psnr < 70, `${background}: ${result.psnr} dB`);
    t.ok(result.ssim > 0.995, `${background}: ${result.ssim}`);
    t.same(
      result.images.map(({ name }) => name),
      frames.map(({ name }) => name),
    );
    t.equal(progress.at(-1), 1);
    const mean = result.images.reduce((sum, image) => sum + image.psnr, 0) / 3;
    t.ok(Math.abs(result.psnr - mean) < 1e-9, 'the mean of the pictures’ own values');
  }
  using other = untrained(9);
  await using wrong = new RenderPool(other, 1);
  t.ok((await evaluate(wrong, frames, { background: [1, 1, 1], look: {} })).psnr < 45, 'another field scores less');
});
