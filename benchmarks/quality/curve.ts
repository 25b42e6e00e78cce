import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DAF = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
const THREADS = 2;

/** What a training of so many minutes reaches on the held-out pictures. */
export interface QualityPoint {
  readonly minutes: number;
  /** Means over the pictures. */
  readonly psnr: number;
  readonly ssim: number;
  readonly images: number;
  readonly steps: number;
  /** Highest memory of the process that trained. */
  readonly peakBytes: number;
  /** From the start of the process that trained to its end. */
  readonly wallSeconds: number;
}

/**
 * Trains a scene from nothing for each of `minutes`, with the command and its defaults, and compares the file that it leaves with the held-out
 * pictures. Every point is a run of its own, because the learning rate is laid out for the time that a run is given.
 * @throws Error where a command fails
 */
export function* qualityCurve(scene: string, minutes: readonly number[], folder: string): Generator<QualityPoint> {
  for (const length of minutes) {
    const file = join(folder, 'field.safetensors');
    const time = `${Math.round(length * 60_000)}ms`;
    const begun = performance.now();
    const { step, peakMemory } = daf<{ step: number; peakMemory: number }>([
      'train',
      scene,
      '--out',
      file,
      '--time',
      time,
      '--threads',
      String(THREADS),
    ]);
    const wallSeconds = (performance.now() - begun) / 1000;
    const { psnr, ssim, images } = daf<{ psnr: number; ssim: number; images: unknown[] }>([
      'eval',
      file,
      scene,
      '--split',
      'test',
      '--threads',
      String(THREADS),
    ]);
    yield { minutes: length, psnr, ssim, images: images.length, steps: step, peakBytes: peakMemory, wallSeconds };
  }
}

function daf<T>(args: readonly string[]): T {
  const ran = spawnSync(process.execPath, [DAF, 'nerf', ...args, '--json'], { encoding: 'utf8', maxBuffer: 64 << 20 });
  if (ran.status !== 0) throw new Error(`daf nerf ${args[0]} ended with ${ran.status}: ${ran.stdout}${ran.stderr}`);
  return JSON.parse(ran.stdout) as T;
}
