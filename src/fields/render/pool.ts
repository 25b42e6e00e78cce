import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { DafError, fromWire } from '../../core/contracts/errors.js';
import type { Field } from '../field.js';
import type { FieldCamera } from '../types.js';
import type { RenderAnswer, RenderTask } from './thread.js';
import type { RenderedImage, RenderLook, RenderStats } from './types.js';

/** Rows of one task: a row of the renderer's blocks. */
const BAND = 32;

export interface PoolRenderOptions extends RenderLook {
  /** Aborts within 50 ms: the promise rejects with ERR_DAF_CANCELLED. */
  readonly signal?: AbortSignal;
  /** Called after every band. @param fraction 0…1 */
  onProgress?(fraction: number): void;
}

/**
 * Threads that render one field together: all read the same weights, each takes bands of a picture's rows. The picture has the same bytes
 * with any number of threads.
 */
export class RenderPool implements AsyncDisposable {
  readonly #field: number;
  readonly #piscina: Piscina;

  /**
   * @param field stays the caller's, and must not be disposed or trained while the pool is in use
   * @param threads default: one for each core
   */
  constructor(field: Field, threads = availableParallelism()) {
    this.#field = field.share();
    this.#piscina = new Piscina({
      filename: new URL('./thread.js', import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
    });
  }

  /** @throws DafError as Field.render; ERR_DAF_CANCELLED */
  async render(camera: FieldCamera, { signal, onProgress, ...look }: PoolRenderOptions = {}): Promise<RenderedImage> {
    const { width, height } = camera;
    const control = new Int32Array(new SharedArrayBuffer(12));
    const cancel = (): void => void Atomics.store(control, 0, 1);
    if (signal?.aborted === true) cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    const bands = Math.ceil(height / BAND);
    const picture = new PictureInBands(width, height);
    let done = 0;
    try {
      const tasks = Array.from({ length: bands }, async (_, i) => {
        const window = { x: 0, y: i * BAND, width, height: Math.min(BAND, height - i * BAND) };
        try {
          picture.put(i * BAND, await this.#run({ field: this.#field, camera, options: { ...look, window, control } }));
        } catch (error) {
          cancel();
          throw error;
        }
        onProgress?.(++done / bands);
      });
      const settled = await Promise.allSettled(tasks);
      const failed = settled.filter((each) => each.status === 'rejected').map(({ reason }) => DafError.from(reason));
      // Where one band failed the others were cancelled: the cause is the one that was not.
      if (failed.length > 0) throw failed.find(({ code }) => code !== 'ERR_DAF_CANCELLED') ?? failed[0];
      return picture.image();
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  async #run(task: RenderTask): Promise<RenderedImage> {
    const answer = (await this.#piscina.run(task)) as RenderAnswer;
    if ('error' in answer) throw fromWire(answer.error);
    return answer.image;
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await this.#piscina.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A picture that is put together from bands of its rows, in any order, each of which may go as soon as it was put. */
class PictureInBands {
  readonly #size: { readonly width: number; readonly height: number };
  #image: Omit<RenderedImage, 'stats'> | null = null;
  #stats: RenderStats | null = null;

  constructor(width: number, height: number) {
    this.#size = { width, height };
  }

  put(row: number, band: RenderedImage): void {
    this.#image ??= this.#allocate(band);
    const { rgba, depth, opacity, color, normal } = this.#image;
    const at = row * this.#size.width;
    rgba.set(band.rgba, at * 4);
    depth.set(band.depth, at);
    opacity.set(band.opacity, at);
    color?.set(band.color!, at * 3);
    normal?.set(band.normal!, at * 3);
    this.#stats = this.#stats === null ? band.stats : addStats(this.#stats, band.stats);
  }

  image(): RenderedImage {
    return { ...this.#image!, stats: this.#stats! };
  }

  #allocate({ color, normal }: RenderedImage): Omit<RenderedImage, 'stats'> {
    const pixels = this.#size.width * this.#size.height;
    return {
      ...this.#size,
      rgba: new Uint8Array(pixels * 4),
      depth: new Float32Array(pixels),
      opacity: new Float32Array(pixels),
      ...(color === undefined ? {} : { color: new Float32Array(pixels * 3) }),
      ...(normal === undefined ? {} : { normal: new Float32Array(pixels * 3) }),
    };
  }
}

function addStats(a: RenderStats, b: RenderStats): RenderStats {
  return {
    rays: a.rays + b.rays,
    samples: a.samples + b.samples,
    colors: a.colors + b.colors,
    seconds: a.seconds + b.seconds,
    fieldSeconds: a.fieldSeconds + b.fieldSeconds,
    marchSeconds: a.marchSeconds + b.marchSeconds,
  };
}
