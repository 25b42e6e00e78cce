import { basename } from 'node:path';
import t from 'tap';
import { sphereScene } from '../testing-scene.js';
import { capture } from '../train/training.test.fixture.js';
import { boxFromMattes } from './matte-box.js';
import { openScene } from './open.js';
import type { SceneFrame } from './types.js';

const scene = await capture(t);

t.test('opening a scene is cancelled between two pictures', async (t) => {
  const abort = new AbortController();
  abort.abort();
  await t.rejects(openScene(scene.path, { signal: abort.signal }), { code: 'ERR_DAF_CANCELLED' }, basename(scene.path));

  const later = new AbortController();
  let looked = 0;
  const frames = Array.from({ length: 24 }, (_, i): SceneFrame => {
    const frame = scene.frames[i % scene.frames.length]!;
    const image = () => {
      looked += 1;
      if (looked === 3) later.abort();
      return frame.image();
    };
    return { ...frame, image };
  });
  await t.rejects(boxFromMattes(frames, scene.box, later.signal), { code: 'ERR_DAF_CANCELLED' });
  t.equal(looked, 3, 'no picture more');
});

t.test('a picture that takes long is not waited for', async (t) => {
  const abort = new AbortController();
  const frames = Array.from({ length: 8 }, () => ({ ...scene.frames[0]!, image: () => new Promise<never>(() => abort.abort()) }));
  await t.rejects(boxFromMattes(frames, scene.box, abort.signal), { code: 'ERR_DAF_CANCELLED' });
});

t.test('the visual hull is cancelled between two views', async (t) => {
  const abort = new AbortController();
  const sphere = sphereScene(8, 32);
  const pictures = await Promise.all(sphere.frames.map((frame) => frame.image()));
  const frames = pictures.map((picture, i) => ({
    ...sphere.frames[i]!,
    image: () => {
      // The last picture is there at once, and the hull begins: it is told in the first break that it takes.
      if (i === pictures.length - 1) setImmediate(() => abort.abort());
      return Promise.resolve(picture);
    },
  }));
  t.not(await boxFromMattes(sphere.frames, sphere.box), null, 'there is a hull to be cancelled');
  await t.rejects(boxFromMattes(frames, sphere.box, abort.signal), { code: 'ERR_DAF_CANCELLED' });
});
