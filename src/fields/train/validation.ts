import { DafError } from '../../core/contracts/errors.js';
import type { Field } from '../field.js';
import { type EvaluateOptions, evaluate } from '../render/evaluate.js';
import { RenderPool } from '../render/pool.js';
import type { Scene, SceneFrame } from '../scenes/types.js';
import type { TrainPlan } from './options.js';
import type { SceneSession } from './session.js';

/** One picture in so many is kept for validation, and no more than a few are looked at each time. */
const ONE_IN = 8;
const MOST = 4;
/** Looking takes this share of the time at most. */
const SHARE = 0.1;

/** The training pictures: those to learn from, and those kept back where a quality is to be reached. @throws DafError ERR_DAF_BAD_DATA */
export function splitForValidation(
  scene: Scene,
  keepBack: boolean,
): { learn: readonly SceneFrame[]; validate: readonly SceneFrame[] } {
  const training = scene.frames.filter((frame) => frame.split === 'train');
  if (training.length === 0) throw new DafError('ERR_DAF_BAD_DATA', `${scene.path} has no training picture`);
  if (!keepBack) return { learn: training, validate: [] };
  if (training.length < 2)
    throw new DafError('ERR_DAF_BAD_DATA', 'a single training picture leaves none for validation', {
      hint: 'train without targetPsnr',
    });
  const every = Math.min(ONE_IN, training.length);
  const kept = training.filter((_, i) => i % every === every - 1);
  return {
    learn: training.filter((frame) => !kept.includes(frame)),
    validate: kept.filter((_, i) => i % Math.ceil(kept.length / MOST) === 0),
  };
}

/** Looks at pictures that are not learnt from, now and then. */
export class Validation implements AsyncDisposable {
  readonly #pool: RenderPool;
  readonly #frames: readonly SceneFrame[];
  readonly #background: EvaluateOptions['background'];
  #due = 0;

  constructor(field: Field, frames: readonly SceneFrame[], { session }: TrainPlan) {
    this.#pool = new RenderPool(field, session.threads);
    this.#frames = frames;
    const [r, g, b] = session.background as unknown as [number, number, number];
    this.#background = session.backgroundKind === 2 ? 'learned' : [r, g, b];
  }

  /**
   * dB of the averaged weights, or undefined when it is too early to look again.
   * @throws DafError ERR_DAF_CANCELLED; the weights are those of the training again
   */
  async measureIfDue(session: SceneSession, seconds: number, signal?: AbortSignal): Promise<number | undefined> {
    if (seconds < this.#due) return undefined;
    const begun = performance.now();
    session.useAverage(true);
    const psnr = await this.#measure(signal).finally(() => session.useAverage(false));
    const took = (performance.now() - begun) / 1000;
    this.#due = seconds + took + Math.max(1, took / SHARE);
    return psnr;
  }

  async #measure(signal: AbortSignal | undefined): Promise<number> {
    const options = { background: this.#background, look: {}, ...(signal === undefined ? {} : { signal }) };
    return (await evaluate(this.#pool, this.#frames, options)).psnr;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool.close();
  }
}
