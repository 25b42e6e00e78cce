import type { NativeSceneReport } from '../../core/addon/index.js';
import { DafError } from '../../core/contracts/errors.js';
import { anonymousBytes, PeakSampler } from '../../core/memory-sample.js';
import { Field } from '../field.js';
import type { Scene } from '../scenes/types.js';
import { begunWith, checkScene, earlierTraining, type TrainingNote } from './checkpoint.js';
import { type TrainPlan, trainPlan } from './options.js';
import { refinedPoses } from './poses.js';
import { SceneSession } from './session.js';
import { Stopwatch } from './stopwatch.js';
import type { TrainProgress, TrainResult, TrainSceneOptions } from './types.js';
import { splitForValidation, Validation } from './validation.js';

/** Of one call of the threads: short enough for a live line, long enough that handing out costs nothing. */
const SLICE_SECONDS = 0.3;
const CHECKPOINT_SECONDS = 60;

/**
 * Trains a field on the training pictures of a scene; pictures of other splits are not opened. With `steps` the result depends on the
 * options, the number of threads and the instruction set alone.
 * @throws DafError ERR_DAF_BAD_OPTION; ERR_DAF_BAD_DATA: no training pictures, or they teach nothing; ERR_DAF_CANCELLED; ERR_DAF_MEMORY_LIMIT;
 * ERR_DAF_IO
 */
export async function trainScene(scene: Scene, options: TrainSceneOptions = {}): Promise<TrainResult> {
  const plan = trainPlan(scene, options);
  const earlier = earlierTraining(plan, options);
  const { learn, validate } = splitForValidation(scene, plan.targetPsnr !== null);
  const memory = new PeakSampler();
  const field = Field.create(plan.field);
  try {
    await using session = await SceneSession.open(field, learn, plan.session, options.signal);
    await using validation = validate.length === 0 ? null : new Validation(field, validate, plan);
    const cancel = (): void => session.cancel();
    options.signal?.addEventListener('abort', cancel, { once: true });
    try {
      if (earlier !== null) {
        checkScene(
          earlier,
          plan,
          learn.map((frame) => frame.name),
          session.pictures,
          options.checkpoint!,
        );
      }
      const progress = await trainLoop(session, validation, plan, options, earlier);
      session.useAverage(true);
      const poses = plan.session.refinePoses ? refinedPoses(learn, session.poses()) : null;
      return { field, progress, poses, threads: plan.session.threads, peakMemory: Math.max(memory.peak, memory.sample()) };
    } finally {
      options.signal?.removeEventListener('abort', cancel);
    }
  } catch (error) {
    field.dispose();
    throw options.signal?.aborted === true ? new DafError('ERR_DAF_CANCELLED', 'training was cancelled') : DafError.from(error);
  } finally {
    memory.close();
  }
}

async function trainLoop(
  session: SceneSession,
  validation: Validation | null,
  plan: TrainPlan,
  options: TrainSceneOptions,
  earlier: TrainingNote | null,
): Promise<TrainProgress> {
  const clock = new Stopwatch(plan.startedAt);
  let step = 0;
  if (earlier !== null) {
    step = session.restore(options.checkpoint!);
    clock.add(earlier.seconds);
  }
  let saved = clock.seconds;
  const fraction = (): number => Math.min(1, Math.max(clock.seconds / plan.seconds, step / plan.steps));
  const save = (): void => {
    const note: TrainingNote = { seconds: clock.seconds, options: begunWith(plan), pictures: session.pictures };
    if (options.checkpoint !== undefined) session.save(options.checkpoint, JSON.stringify(note));
    saved = clock.seconds;
  };
  let slice = 4;
  let progress: TrainProgress | null = null;
  try {
    while (progress === null || fraction() < 1) {
      options.signal?.throwIfAborted();
      const begun = clock.seconds;
      const begin = fraction();
      const steps = Math.min(slice, plan.steps - step);
      const end = Math.min(1, begin + (steps * (clock.perStep ?? 0)) / plan.seconds);
      const report = await session.run(Math.max(1, steps), begin, end);
      const took = clock.seconds - begun;
      step = report.step;
      clock.lap(took / steps);
      slice = Math.max(1, Math.round(Math.min(2 * slice, (SLICE_SECONDS / took) * steps)));
      const psnr = await validation?.measureIfDue(session, clock.seconds, options.signal);
      progress = describe(report, took, clock.seconds, fraction(), psnr ?? progress?.validationPsnr);
      options.onProgress?.(progress);
      if (plan.targetPsnr !== null && psnr !== undefined && psnr >= plan.targetPsnr) break;
      if (clock.seconds - saved >= CHECKPOINT_SECONDS) save();
    }
  } catch (error) {
    // After the last whole step, from which it can go on.
    if (options.signal?.aborted === true) save();
    throw error;
  }
  save();
  return progress;
}

function describe(
  report: NativeSceneReport,
  took: number,
  seconds: number,
  fraction: number,
  validationPsnr: number | undefined,
): TrainProgress {
  const { step, loss, psnr, samples, candidates, occupied } = report;
  return {
    step,
    fraction,
    seconds,
    loss,
    psnr,
    ...(validationPsnr === undefined ? {} : { validationPsnr }),
    samplesPerSecond: samples / took,
    candidatesPerSecond: candidates / took,
    occupied,
    memory: anonymousBytes() ?? 0,
  };
}
