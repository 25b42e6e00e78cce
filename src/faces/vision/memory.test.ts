import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import tap from 'tap';
import { sharedData } from '../../testing/shared-data.test.fixture.js';

/**
 * MB of anonymous memory by which 48 megapixels may raise a process that has already seen a small photo: measured 40…55, depending
 * on when garbage is collected. The decoded photo alone would be 137.
 */
const MOST_MB = 80;

/**
 * Prepares `small` once and `big` twice in a process of its own; answers with how far anonymous memory rose above what it was
 * after `small`. A thread samples it, because decoding keeps the main thread's timers waiting.
 */
async function rise(small: string, big: string, models: string | null): Promise<{ baseMb: number; riseMb: number; ms: number }> {
  const child = fileURLToPath(new URL('./memory-child.test.fixture.js', import.meta.url));
  // As workers are started: few arenas, and blocks of a network's size given back to the system.
  const env = { ...process.env, MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '1048576' };
  const { stdout } = await promisify(execFile)(process.execPath, [child, small, big, models ?? ''], { env });
  return JSON.parse(stdout);
}

tap.test('48 megapixels cost little', { skip: existsSync('/proc/self/status') ? false : 'no /proc' }, async (t) => {
  const dir = t.testdir();
  const landmarks = (scale: number): string => {
    const points = Array.from({ length: 68 }, (_, i) => [scale * (300 + 40 * (i % 9)), scale * (300 + 40 * Math.floor(i / 9))]);
    return JSON.stringify(points);
  };
  const noise = await sharp({
    create: { width: 1000, height: 750, channels: 3, background: '#777', noise: { type: 'gaussian', mean: 120, sigma: 30 } },
  })
    .png()
    .toBuffer();
  const small = join(dir, 'small.jpg');
  const big = join(dir, 'big.jpg');
  await sharp(noise).jpeg().toFile(small);
  await sharp(noise).resize(8000, 6000).jpeg({ quality: 85 }).toFile(big);
  writeFileSync(`${small}.json`, landmarks(1));
  writeFileSync(`${big}.json`, landmarks(8));
  const plain = await rise(small, big, null);
  t.comment(
    `decode and crop: ${plain.riseMb.toFixed(1)} MB above ${plain.baseMb.toFixed(1)} MB, ${plain.ms.toFixed(0)} ms a photo`,
  );
  t.ok(plain.riseMb < MOST_MB);

  const data = sharedData();
  if (data === null) return t.comment('detection not measured: no shared data');
  const face = join(data, 'faces/people/p01/img7.jpg');
  const portrait = join(dir, 'portrait.jpg');
  await sharp(face).resize(5657, 8485, { fit: 'fill' }).jpeg({ quality: 88 }).toFile(portrait);
  const seen = await rise(face, portrait, join(data, 'models'));
  t.comment(
    `decode, detect, crop: ${seen.riseMb.toFixed(1)} MB above ${seen.baseMb.toFixed(1)} MB, ${seen.ms.toFixed(0)} ms a photo`,
  );
  t.ok(seen.riseMb < MOST_MB);
});
