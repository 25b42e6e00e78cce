import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryDirectory } from '../../testing/engine-fixture.js';
import { sphereScene } from '../testing-scene.js';
import { trainScene } from './train-scene.js';
import { small } from './training.test.fixture.js';
import type { TrainSceneOptions } from './types.js';

const scene = sphereScene(6, 24);
const tiny: TrainSceneOptions = { ...small, box: scene.box, samplesPerStep: 512 };

t.test('a training goes on with what it was begun with, or says what is another', async (t) => {
  const checkpoint = join(temporaryDirectory(t), 'state.safetensors');
  const begun: TrainSceneOptions = { ...tiny, steps: 2, checkpoint };
  (await trainScene(scene, begun)).field.dispose();
  const refused = (options: TrainSceneOptions, named: RegExp, of = scene, code = 'ERR_DAF_BAD_OPTION'): Promise<unknown> =>
    t.rejects(trainScene(of, { ...begun, steps: 4, resume: true, ...options }), { code, message: named, hint: /resume/ });
  await refused({ threads: 3 }, /threads 2, now 3/);
  await refused({ background: 'scene' }, /background "random", now \[/);
  await refused({ appearance: 4 }, /appearance 0, now 4/);
  await refused({ field: { ...small.field!, levels: 5 } as NonNullable<TrainSceneOptions['field']> }, /shape levels 6, now 5/);
  await refused({ field: { kind: 'classic' } }, /field "hashgrid", now "classic"/);
  await refused({ learningRate: 0.5 }, /learningRate 0.01, now 0.5/);
  await refused({ averageDecay: 0 }, /averageDecay 0.95, now 0/);
  await refused({ seed: 2 }, /seed 1, now 2/);
  await refused({ box: { min: [-8, -8, -8], max: [8, 8, 9.5] } }, /box .*9\.5/);
  // The scene, before the options that follow from it.
  const damaged = 'ERR_DAF_BAD_DATA';
  const training = scene.frames.filter((frame) => frame.split === 'train');
  await refused({}, /now there are/, { ...scene, frames: training.slice(1) }, damaged);
  const [first, ...others] = training;
  const painted = async () => {
    const image = await first!.image();
    return { ...image, rgba: image.rgba.map((byte, i) => (i === 4 ? byte ^ 1 : byte)) };
  };
  await refused(
    {},
    new RegExp(`than ${first!.name} is now`),
    { ...scene, frames: [{ ...first!, image: painted }, ...others] },
    damaged,
  );
  const moved = { ...first!.camera, translation: [0, 0.001, -40] };
  await refused({}, /picture, or camera/, { ...scene, frames: [{ ...first!, camera: moved }, ...others] }, damaged);
  // Time and steps may be others.
  const more = await trainScene(scene, { ...begun, steps: 4, resume: true });
  more.field.dispose();
  t.equal(more.progress.step, 4);
});

t.test('a damaged checkpoint is refused, whatever the damage', async (t) => {
  const checkpoint = join(temporaryDirectory(t), 'state.safetensors');
  (await trainScene(scene, { ...tiny, steps: 2, checkpoint })).field.dispose();
  const state = readFileSync(checkpoint);
  t.match(state.subarray(8, 200).toString('latin1'), /daf-training-3/);
  const resume = (): Promise<unknown> => trainScene(scene, { ...tiny, steps: 4, checkpoint, resume: true });
  const refused = (): Promise<unknown> => t.rejects(resume(), { code: 'ERR_DAF_BAD_DATA' });
  for (const word of ['seconds', 'pictures', 'options', '__metadata__', 'daf-training-3']) {
    const damaged = Buffer.from(state);
    damaged.write('x'.repeat(word.length), damaged.indexOf(word), 'latin1');
    writeFileSync(checkpoint, damaged);
    await refused();
  }
  writeFileSync(checkpoint, state);
  for (const length of [state.length - 1, 1000, 8, 7, 0]) {
    truncateSync(checkpoint, length);
    await refused();
  }
  writeFileSync(checkpoint, Buffer.alloc(64, 0xff));
  await refused();
});
