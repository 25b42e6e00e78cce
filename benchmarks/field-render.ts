/**
 * Question: what does a picture of a trained field cost? A hash grid is trained on pictures of a ball, then rendered: with empty space skipped
 * and rays ended early against every sample and colour of every ray; how much of the time marching takes; how much two threads help;
 * and what a process that does this holds at most. One thread and computing time, except for the threads, which the clock measures.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addon } from '#daf/core/addon/index.js';
import { PeakSampler } from '#daf/core/memory-sample.js';
import { Field } from '#daf/fields/index.js';
import { psnr } from '#daf/fields/render/metrics.js';
import { RenderPool } from '#daf/fields/render/pool.js';
import { orbit, spherePicture } from '#daf/fields/testing-scene.js';
import type { RenderedImage } from '#daf/fields/types.js';
import { type BenchOptions, median, type Row, row } from './row.js';

export const group = 'field';
export const name = 'render';

const QUESTION = 'field render';
const MB = 2 ** 20;
const DISTANCE = 40;
const BOX = { min: [-12, -12, -12], max: [12, 12, 12] } as const;

export async function run({ quick, log }: BenchOptions): Promise<readonly Row[]> {
  const side = quick ? 128 : 512;
  const steps = quick ? 200 : 1000;
  log(`hash grid 16 levels × 2 × 2^17 trained for ${steps} steps on 24 views; ${side}×${side}, 256 samples along the box`);
  const folder = mkdtempSync(join(tmpdir(), 'daf-bench-'));
  try {
    using field = trained(steps);
    const what = `${side}×${side} hash grid, ${addon().cpuInfo().isa}`;
    const file = join(folder, 'field.safetensors');
    field.saveFile(file);
    return [
      ...skipping(field, side, quick ? 3 : 15, what),
      ...(await threads(field, side, quick ? 3 : 9, what)),
      memory(file, side, what),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function trained(steps: number): Field {
  const field = Field.create({
    kind: 'hashgrid',
    box: BOX,
    levels: 16,
    log2Entries: 17,
    coarsest: 16,
    finest: 512,
    occupancy: 128,
  });
  const views = Array.from({ length: 24 }, (_, i) =>
    spherePicture(orbit(i * 2.4, (i % 5) * 0.4 - 0.8, DISTANCE, 128), 'supervised'),
  );
  using session = field.train(views, { totalSteps: steps });
  session.run(steps);
  return field;
}

function skipping(field: Field, side: number, repeats: number, what: string): Row[] {
  const camera = orbit(0.5, 0.3, DISTANCE, side);
  const images = Array.from({ length: repeats }, () => field.render(camera, { floats: true, samples: 256 }));
  const every = field.render(camera, { floats: true, samples: 256, exhaustive: true });
  const seconds = median(images.map(({ stats }) => stats.seconds));
  const share = median(images.map(({ stats }) => stats.marchSeconds / stats.seconds));
  const outside = median(images.map(({ stats }) => 1 - stats.fieldSeconds / stats.seconds));
  const agreement = psnr(floats(images[0]!), floats(every));
  const { samples, colors } = images[0]!.stats;
  const pixels = side * side;
  return [
    row(
      QUESTION,
      `${what}, ${(samples / pixels).toFixed(1)} samples and ${(colors / pixels).toFixed(1)} colours a pixel`,
      seconds,
      's',
      `every sample and colour, ${every.stats.seconds.toFixed(2)} s`,
      every.stats.seconds / seconds,
      10,
    ),
    row(`${QUESTION}, agreement`, what, agreement, 'dB', 'every sample and colour, at least 45 dB', agreement / 45, 1),
    row(
      `${QUESTION}, marching`,
      `${what}; compositing and writing ${((outside - share) * 100).toFixed(1)} %`,
      share * 100,
      '% of the time',
      'at most 20 %',
      0.2 / share,
      1,
    ),
  ];
}

function floats({ width, height, color }: RenderedImage): { width: number; height: number; rgb: Float32Array } {
  return { width, height, rgb: color! };
}

async function threads(field: Field, side: number, repeats: number, what: string): Promise<Row[]> {
  const camera = orbit(0.5, 0.3, DISTANCE, side);
  await using one = new RenderPool(field, 1);
  await using two = new RenderPool(field, 2);
  const times: [number[], number[]] = [[], []];
  for (let i = 0; i <= repeats; i++) {
    for (const [k, pool] of [one, two].entries()) {
      const begin = performance.now();
      await pool.render(camera);
      // The first picture of a pool also starts its threads.
      if (i > 0) times[k]!.push((performance.now() - begin) / 1000);
    }
  }
  const [alone, both] = times.map(median) as [number, number];
  return [row(`${QUESTION}, threads`, what, both, 's with 2 threads', `1 thread, ${alone.toFixed(3)} s`, alone / both, null)];
}

/** In a process of its own, which does nothing else. */
function memory(file: string, side: number, what: string): Row {
  const self = fileURLToPath(import.meta.url);
  const peak = Number(execFileSync(process.execPath, [self, '--peak', file, String(side)], { encoding: 'utf8' }));
  return row(`${QUESTION}, memory`, `${what}, 2 threads, all outputs`, peak / MB, 'MB at most', '512 MB', (512 * MB) / peak, 1);
}

async function peakOf(file: string, side: number): Promise<number> {
  const sampler = new PeakSampler();
  using field = Field.load(file);
  await using pool = new RenderPool(field, 2);
  for (let i = 0; i < 4; i++) {
    await pool.render(orbit(i, 0.3, DISTANCE, side), { floats: true, normals: true });
    sampler.sample();
  }
  return sampler.peak;
}

// As a child: only the memory of rendering.
if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === '--peak') {
  process.stdout.write(String(await peakOf(process.argv[3]!, Number(process.argv[4]))));
}
