import { abortable } from '../abortable.js';
import type { SceneFrame, SceneImage } from '../scenes/types.js';
import type { Vector3 } from '../types.js';
import { type FloatPicture, psnr, ssim } from './metrics.js';
import type { RenderPool } from './pool.js';
import type { RenderedImage, RenderLook } from './types.js';

export interface ImageScore {
  readonly name: string;
  /** dB. */
  readonly psnr: number;
  readonly ssim: number;
  /** Of rendering alone, by the wall clock. */
  readonly seconds: number;
}

export interface Evaluation {
  /** Means over the images of their own values. */
  readonly psnr: number;
  readonly ssim: number;
  readonly secondsPerImage: number;
  readonly images: readonly ImageScore[];
}

export interface EvaluateOptions {
  /**
   * What transparent pixels of both pictures are shown on: sRGB, or `random`, another colour for every pixel; `learned`: what the field has learnt
   * to be behind it, for pictures that show their own.
   */
  readonly background: Vector3 | 'random' | 'learned';
  readonly look: Pick<
    RenderLook,
    'samples' | 'samplesPerRay' | 'importance' | 'near' | 'far' | 'minTransmittance' | 'exhaustive' | 'precision'
  >;
  readonly signal?: AbortSignal;
  onProgress?(fraction: number, name: string): void;
  /** Gets every picture after it was scored. */
  onPicture?(frame: SceneFrame, picture: FloatPicture): Promise<void>;
}

/**
 * Renders the views of a scene and compares them with its pictures, as the tables of the Blender scenes are made: at the pictures' size,
 * straight alpha composited in sRGB, the rendered colours clamped but not rounded, PSNR per image and then the mean.
 * @throws DafError as openScene's image() and RenderPool.render do
 */
export async function evaluate(pool: RenderPool, frames: readonly SceneFrame[], options: EvaluateOptions): Promise<Evaluation> {
  const images: ImageScore[] = [];
  for (const [i, frame] of frames.entries()) {
    const started = performance.now();
    const rendered = await pool.render(frame.camera, {
      ...options.look,
      ...(options.background === 'learned' ? { background: options.background } : {}),
      floats: true,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onProgress: (fraction) => options.onProgress?.((i + fraction) / frames.length, frame.name),
    });
    const seconds = (performance.now() - started) / 1000;
    const truth = await abortable(options.signal, () => frame.image());
    const behind = backdrop(options.background, i);
    const [seen, wanted] = [renderedPicture(rendered, behind), truePicture(truth, behind)];
    images.push({
      name: frame.name,
      psnr: psnr(seen, wanted, truth.mask),
      ssim: ssim(seen, wanted, truth.mask),
      seconds,
    });
    await options.onPicture?.(frame, seen);
  }
  const mean = (of: (image: ImageScore) => number): number => images.reduce((sum, image) => sum + of(image), 0) / images.length;
  return {
    psnr: mean((image) => image.psnr),
    ssim: mean((image) => image.ssim),
    secondsPerImage: mean((image) => image.seconds),
    images,
  };
}

/** The background of each channel of each pixel; the same for both pictures. */
type Backdrop = (index: number) => number;

function backdrop(background: EvaluateOptions['background'], image: number): Backdrop {
  if (background === 'learned') return () => 0; // the rendering has it already
  if (background !== 'random') return (index) => background[index % 3]!;
  return (index) => {
    // A hash of the place (the finaliser of MurmurHash3), so that every run shows the same colours.
    let h = Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(image + 1, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
  };
}

/** Composited over black before; what the field left open shows the background. */
function renderedPicture({ width, height, color, opacity }: RenderedImage, behind: Backdrop): FloatPicture {
  const rgb = color!.map((value, i) => Math.min(1, Math.max(0, value + (1 - opacity[Math.floor(i / 3)]!) * behind(i))));
  return { width, height, rgb };
}

function truePicture({ width, height, rgba }: SceneImage, behind: Backdrop): FloatPicture {
  const rgb = new Float32Array(width * height * 3);
  for (let i = 0; i < rgb.length; i++) {
    const pixel = Math.floor(i / 3);
    const alpha = rgba[pixel * 4 + 3]! / 255;
    rgb[i] = (rgba[pixel * 4 + (i % 3)]! / 255) * alpha + (1 - alpha) * behind(i);
  }
  return { width, height, rgb };
}
