import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import sharp from 'sharp';
import tap from 'tap';
import { facePoints, peppaModel, ultrafaceModel } from '../models/onnx.test.fixture.js';
import type { VisionModels } from '../types.js';

interface Ended {
  readonly scores: readonly number[];
  readonly code: number;
}

tap.test('threads come and go with models loaded, and agree', async (t) => {
  const dir = t.testdir();
  const write = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(dir, name), bytes);
    return join(dir, name);
  };
  const models: VisionModels = {
    detector: { file: write('d.onnx', ultrafaceModel([[0.3, 0.3, 0.6, 0.7, 0.95]])), adapter: 'ultraface' },
    landmarks: { file: write('l.onnx', peppaModel(facePoints().map((value) => 0.15 + 0.7 * value))), adapter: 'peppa68' },
  };
  const noise = { type: 'gaussian', mean: 120, sigma: 30 } as const;
  const photo = write(
    'p.png',
    await sharp({ create: { width: 320, height: 240, channels: 3, background: '#777', noise } })
      .png()
      .toBuffer(),
  );

  /** @param stopAfter milliseconds until the thread is terminated, 0: at its first word, null: never. */
  const run = (tidy: boolean, stopAfter: number | null): Promise<Ended> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./thread.test.fixture.js', import.meta.url), { workerData: { models, photo, tidy } });
      const scores: number[] = [];
      if (stopAfter !== null && stopAfter > 0) setTimeout(() => void worker.terminate(), stopAfter);
      worker.on('message', (score: number) => {
        scores.push(score);
        if (stopAfter === 0) void worker.terminate();
      });
      worker.on('error', reject);
      worker.on('exit', (code) => resolve({ scores, code }));
    });

  const whole = await Promise.all([run(true, null), run(false, null), run(false, 0)]);
  for (const { scores } of whole) t.same(scores, whole[0]!.scores);
  t.equal(whole[0]!.code, 0);
  t.ok(whole[0]!.scores[0]! > 0);
  // Stopped while modules load, while models load, while they run: whatever it hits, the process lives.
  for (const after of [20, 80, 200]) t.equal(typeof (await run(false, after)).code, 'number');
});
