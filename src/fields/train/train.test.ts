import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryDirectory } from '../../testing/engine-fixture.js';
import { cameraPosition } from '../camera.js';
import { Field } from '../field.js';
import { evaluate } from '../render/evaluate.js';
import { RenderPool } from '../render/pool.js';
import type { HashGridOptions } from '../types.js';
import { trainPlan } from './options.js';
import type { SceneSession } from './session.js';
import { trainScene } from './train-scene.js';
import { capture, small } from './training.test.fixture.js';
import type { TrainProgress } from './types.js';
import { Validation } from './validation.js';

async function weights(training: Promise<{ field: Field }>): Promise<Buffer> {
  const { field } = await training;
  using done = field;
  return Buffer.from(done.save());
}

const scene = await capture(t);

t.test('a scene is learnt, by any number of threads, and the live figures say so', async (t) => {
  const seen: TrainProgress[] = [];
  const { field, progress, peakMemory, threads } = await trainScene(scene, {
    ...small,
    steps: 150,
    onProgress: (each) => seen.push(each),
  });
  using trained = field;
  t.equal(threads, 2);
  t.equal(progress.step, 150);
  t.equal(progress.fraction, 1);
  const learnt = scene.frames.filter((frame) => frame.split === 'train').map((frame) => cameraPosition(frame.camera));
  using kept = Field.load(trained.save());
  for (const [i, camera] of kept.cameras().entries()) {
    t.ok(
      Math.hypot(...cameraPosition(camera).map((value, a) => value - learnt[i]![a]!)) < 1e-4,
      'a checkpoint keeps the cameras',
    );
  }
  t.equal(kept.cameras().length, learnt.length);
  t.equal(seen.at(-1), progress);
  t.ok(seen.every((each) => each.samplesPerSecond > 0 && each.candidatesPerSecond >= each.samplesPerSecond));
  t.ok(peakMemory >= progress.memory && progress.memory > 1e7);
  t.ok(progress.loss < seen[0]!.loss / 2, `${seen[0]!.loss} → ${progress.loss}`);
  await using pool = new RenderPool(trained, 1);
  const held = scene.frames.filter((frame) => frame.split === 'test');
  const { psnr } = await evaluate(pool, held, { background: [1, 1, 1], look: {} });
  t.ok(psnr > 20, `held-out views: ${psnr} dB`);
});

t.test('the same options give the same weights, interrupted or not', async (t) => {
  const checkpoint = join(temporaryDirectory(t), 'state.safetensors');
  for (const threads of [1, 2]) {
    const options = { ...small, threads, steps: 16 };
    const whole = await weights(trainScene(scene, options));
    t.ok(whole.equals(await weights(trainScene(scene, options))), `${threads} threads, twice`);
    const abort = new AbortController();
    const state = `${checkpoint}.${threads}`;
    const cancelled = trainScene(scene, {
      ...options,
      checkpoint: state,
      signal: abort.signal,
      onProgress: ({ step }) => step >= 6 && abort.abort(),
    });
    await t.rejects(cancelled, { code: 'ERR_DAF_CANCELLED' });
    t.ok(existsSync(state));
    const resumed = await weights(trainScene(scene, { ...options, checkpoint: state, resume: true }));
    t.ok(whole.equals(resumed), `${threads} threads, resumed`);
  }
});

t.test('options that are off by default change the weights, and these are the same, interrupted or not', async (t) => {
  const plain = await weights(trainScene(scene, { ...small, steps: 12 }));
  for (const extra of [{ appearance: 4 }, { variationWeight: 0.01 }]) {
    const name = JSON.stringify(extra);
    const options = { ...small, ...extra, steps: 12 };
    const whole = await weights(trainScene(scene, options));
    t.notOk(whole.equals(plain), name);
    const checkpoint = join(temporaryDirectory(t), 'state.safetensors');
    const abort = new AbortController();
    const onProgress = (): void => abort.abort();
    await t.rejects(trainScene(scene, { ...options, checkpoint, signal: abort.signal, onProgress }), {
      code: 'ERR_DAF_CANCELLED',
    });
    t.ok(whole.equals(await weights(trainScene(scene, { ...options, checkpoint, resume: true }))), `${name}, resumed`);
  }
});

t.test('a field with looks is rendered, saved and loaded with the mean of them', async (t) => {
  const { field } = await trainScene(scene, { ...small, steps: 60, appearance: 8 });
  using trained = field;
  using again = Field.load(trained.save());
  const { camera } = scene.frames[0]!;
  t.same(again.render(camera).rgba, trained.render(camera).rgba);
  const kept = trainPlan(scene, { appearance: 8, targetPsnr: 20 }).field as HashGridOptions;
  const learnt = scene.frames.filter((frame) => frame.split === 'train').length;
  t.ok(kept.images! > 0 && kept.images! < learnt, 'pictures kept for validation have none');
});

t.test('training ends when pictures it does not learn from reach the quality asked for', async (t) => {
  const { field, progress } = await trainScene(scene, { ...small, seconds: 60, targetPsnr: 12, averageDecay: 0 });
  field.dispose();
  t.ok(progress.validationPsnr !== undefined && progress.validationPsnr >= 12);
  t.ok(progress.fraction < 1);
});

t.test('time is a limit, and is shared with earlier sessions', async (t) => {
  const checkpoint = join(temporaryDirectory(t), 'state.safetensors');
  const first = await trainScene(scene, { ...small, seconds: 1, checkpoint });
  first.field.dispose();
  t.ok(first.progress.seconds >= 1 && first.progress.step > 1);
  const again = await trainScene(scene, { ...small, seconds: 1, checkpoint, resume: true });
  again.field.dispose();
  t.ok(again.progress.step > first.progress.step);
  t.ok(again.progress.seconds > first.progress.seconds, 'the seconds of both');
});

t.test('what cannot be trained is refused with the reason', async (t) => {
  const refused = (options: object, code: string, of = scene): Promise<unknown> =>
    t.rejects(trainScene(of, { ...small, ...options }), { code });
  await refused({ stpes: 5 }, 'ERR_DAF_BAD_OPTION');
  await refused({ steps: 0 }, 'ERR_DAF_BAD_OPTION');
  await refused({ seconds: -1 }, 'ERR_DAF_BAD_OPTION');
  await refused({ threads: 65 }, 'ERR_DAF_BAD_OPTION');
  await refused({ targetPsnr: Number.NaN }, 'ERR_DAF_BAD_OPTION');
  await refused({ background: 'white' }, 'ERR_DAF_BAD_OPTION');
  await refused({ resume: true }, 'ERR_DAF_BAD_OPTION');
  await refused({ background: 'random' }, 'ERR_DAF_BAD_OPTION', { ...scene, hasAlpha: false });
  await refused({ appearance: 4, field: { kind: 'classic' } }, 'ERR_DAF_BAD_OPTION');
  await refused({ background: 'learned' }, 'ERR_DAF_BAD_OPTION'); // these pictures hide theirs
  await refused({ appearance: 3 }, 'ERR_DAF_BAD_ARGUMENT');
  await refused({ variationWeight: -1 }, 'ERR_DAF_BAD_ARGUMENT');
  await refused({ variationWeight: 1, field: { kind: 'classic' } }, 'ERR_DAF_UNSUPPORTED');
  await refused({ learningRate: Number.NaN }, 'ERR_DAF_BAD_ARGUMENT');
  await refused({}, 'ERR_DAF_BAD_DATA', { ...scene, frames: [] });
  await refused({ box: { min: [900, 900, 900], max: [901, 901, 901] } }, 'ERR_DAF_BAD_DATA');
  const [frame] = scene.frames;
  const blind = { ...frame!, split: 'train' as const, camera: { ...frame!.camera, translation: [0, 0, Number.NaN] } };
  await refused({}, 'ERR_DAF_BAD_ARGUMENT', { ...scene, frames: [blind] });
  await t.rejects(trainScene(scene, { ...small, signal: AbortSignal.abort() }), { code: 'ERR_DAF_CANCELLED' });
});

t.test('test pictures are not opened', async (t) => {
  const frames = scene.frames.map((frame) =>
    frame.split === 'train' ? frame : { ...frame, image: () => Promise.reject(new Error('opened')) },
  );
  const { field } = await trainScene({ ...scene, frames }, { ...small, steps: 2 });
  field.dispose();
  t.pass();
});

t.test('defaults follow the scene', async (t) => {
  t.match(trainPlan(scene, {}), { seconds: 300, session: { backgroundKind: 1, samplesPerEdge: 512, distortionWeight: 0 } });
  t.match(trainPlan({ ...scene, hasAlpha: false, unbounded: true }, {}), {
    field: { box: { unbounded: true } },
    session: { backgroundKind: 0, samplesPerEdge: 128 },
  });
  t.match(trainPlan(scene, { steps: 7 }), { seconds: Number.POSITIVE_INFINITY, session: { totalSteps: 7 } });
});

t.test('looking at pictures kept back is cancelled, and gives the weights back', async (t) => {
  using field = Field.create({ kind: 'hashgrid', box: scene.box, levels: 2, log2Entries: 8, occupancy: 16 });
  await using validation = new Validation(field, scene.frames.slice(0, 1), trainPlan(scene, { threads: 1 }));
  const averages: boolean[] = [];
  const session = { useAverage: (average: boolean) => averages.push(average) } as unknown as SceneSession;
  await t.rejects(validation.measureIfDue(session, 0, AbortSignal.abort()), { code: 'ERR_DAF_CANCELLED' });
  t.same(averages, [true, false]);
});
