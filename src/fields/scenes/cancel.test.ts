import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { temporaryDirectory } from '../../testing/engine-fixture.js';
import { sphereScene } from '../testing-scene.js';
import { capture } from '../train/training.test.fixture.js';
import { readColmap } from './colmap.js';
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

t.test('a COLMAP model is cancelled between two pieces of a file', async (t) => {
  const entries = 20_000; // several windows of each file; what comes last is damaged, and is not come to
  const bytes = (size: number): Buffer => {
    const out = Buffer.alloc(8 + size * entries);
    out.writeBigUInt64LE(BigInt(entries));
    return out.fill(0xff, out.length - 8); // how much belongs to the last one
  };
  const files = {
    'points3D.bin': bytes(51),
    'images.bin': bytes(73),
    'points3D.txt': Buffer.from(`${'1 1 2 3 4 5 6 0.5\n'.repeat(entries)}1 nan`),
    'images.txt': Buffer.from(`${'1 1 0 0 0 0 0 4 1 a.png\n\n'.repeat(entries)}1 nan`),
  };
  for (const [name, damaged] of Object.entries(files)) {
    const folder = temporaryDirectory(t);
    const text = name.endsWith('.txt');
    for (const other of ['cameras', 'images', 'points3D'])
      writeFileSync(join(folder, `${other}${text ? '.txt' : '.bin'}`), text ? '' : Buffer.alloc(8));
    const never = signalAfter(Number.POSITIVE_INFINITY);
    await readColmap(folder, never).catch(() => {});
    writeFileSync(join(folder, name), damaged);
    await t.rejects(readColmap(folder), { code: 'ERR_DAF_BAD_DATA' }, name);
    // More often than where the file is empty: it is asked within this one.
    await t.rejects(readColmap(folder, signalAfter(never.asked + 1)), { code: 'ERR_DAF_CANCELLED' }, name);
  }
});

/** Aborted once it has been asked that often. */
function signalAfter(times: number): AbortSignal & { readonly asked: number } {
  const signal = {
    asked: 0,
    get aborted(): boolean {
      this.asked += 1;
      return this.asked > times;
    },
  };
  return signal as unknown as AbortSignal & { readonly asked: number };
}
