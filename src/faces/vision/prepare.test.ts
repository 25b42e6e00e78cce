import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import tap from 'tap';
import { facePoints, peppaModel, ultrafaceModel, yunetModel } from '../models/onnx.test.fixture.js';
import type { VisionModels } from '../types.js';
import { cropToPhoto } from './crop.js';
import { openVision } from './prepare.js';
import { fromTurnedBox } from './warp.js';

const NONE: VisionModels = { detector: null, landmarks: null };

/** A PNG whose red and green tell the position: x / 16 and y / 16 in steps of a block, blue within a block. */
async function map(width: number, height: number, orientation = 1): Promise<Buffer> {
  const data = Buffer.alloc(3 * width * height);
  for (let y = 0; y < height; ++y) {
    for (let x = 0; x < width; ++x) data.set([x >> 4, y >> 4, 16 * (y % 16) + (x % 16)], 3 * (y * width + x));
  }
  const image = sharp(data, { raw: { width, height, channels: 3 } }).png();
  return (orientation === 1 ? image : image.withMetadata({ orientation })).toBuffer();
}

function json(centerX: number, centerY: number, size: number, roll = 0): Buffer {
  const points = new Float32Array(136);
  fromTurnedBox({ centerX, centerY, width: size, height: size, angle: roll }, facePoints(), points);
  return Buffer.from(JSON.stringify([...points]));
}

tap.test('a side-car needs no model; the crop holds the photo pixel by pixel', async (t) => {
  const vision = await openVision({ models: NONE });
  for (const [roll, turns] of [
    [0, 0],
    [Math.PI / 2, 1],
    [Math.PI, 2],
    [-1.5, 3],
  ] as const) {
    const bytes = await map(640, 480);
    const face = await vision.prepare({ bytes, sidecar: { name: 'a.json', bytes: json(300, 250, 100, roll) } });
    t.equal(face.transform.quarterTurns, turns);
    t.equal(face.transform.scale, 1);
    const { width, height, data } = face.crop;
    let wrong = 0;
    for (let y = 0; y < height; ++y) {
      for (let x = 0; x < width; ++x) {
        const at = 3 * (y * width + x);
        const [px, py] = cropToPhoto(face.transform, [x + 0.5, y + 0.5]);
        const shown = [16 * data[at]! + (data[at + 2]! % 16), 16 * data[at + 1]! + (data[at + 2]! >> 4)];
        if (shown[0] !== Math.floor(px!) || shown[1] !== Math.floor(py!)) ++wrong;
      }
    }
    t.equal(wrong, 0, `roll ${roll}`);
    t.match(face.landmarks, { confidence: 1, source: 'sidecar' });
    t.same(face.photo, { width: 640, height: 480 });
    t.same(face.warnings, []);
    const again = await vision.prepare({ bytes, sidecar: { name: 'a.json', bytes: json(300, 250, 100, roll) } });
    t.ok(Buffer.compare(again.crop.data, data) === 0, 'the same every time');
    t.same(again.quality, face.quality);
  }
});

tap.test('EXIF orientation, a large head, a large photo', async (t) => {
  const vision = await openVision({ models: NONE });
  const lying = await vision.prepare({ bytes: await map(640, 480, 6), sidecar: { name: 'a.json', bytes: json(240, 320, 100) } });
  t.same(lying.photo, { width: 480, height: 640 }, 'side-car points are those of the upright photo');
  const large = await vision.prepare({ bytes: await map(1800, 1700), sidecar: { name: 'a.json', bytes: json(900, 850, 600) } });
  t.ok(large.transform.scale < 1 && Math.max(large.crop.width, large.crop.height) <= 768 && large.crop.width > 700);
  const far = await vision.prepare({ bytes: await map(3000, 2500), sidecar: { name: 'a.json', bytes: json(2000, 1500, 100) } });
  t.equal(far.transform.scale, 1, 'a small head in a large photo is cut from the full resolution');
  const [px, py] = cropToPhoto(far.transform, [10.5, 20.5]);
  const at = 3 * (20 * far.crop.width + 10);
  t.equal(16 * far.crop.data[at]! + (far.crop.data[at + 2]! % 16), Math.floor(px!));
  t.equal((16 * far.crop.data[at + 1]! + (far.crop.data[at + 2]! >> 4)) % 4096, Math.floor(py!));
});

tap.test('with models of known answer', async (t) => {
  const dir = t.testdir();
  const write = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(dir, name), bytes);
    return join(dir, name);
  };
  const landmarks = {
    file: write('p.onnx', peppaModel(facePoints().map((value) => 0.15 + 0.7 * value))),
    adapter: 'peppa68',
  } as const;
  // 320×240 is UltraFace's canvas, so that the first look is at scale 1; the second, at half, doubles every box.
  const one = { file: write('one.onnx', ultrafaceModel([[0.3, 0.3, 0.6, 0.7, 0.95]])), adapter: 'ultraface' } as const;
  const none = { file: write('none.onnx', yunetModel([])), adapter: 'yunet' } as const;
  const bytes = await map(320, 240);

  const vision = await openVision({ models: { detector: one, landmarks } });
  t.equal(await openVision({ models: { detector: one, landmarks } }), vision, 'one for the thread');
  const face = await vision.prepare({ bytes });
  t.equal(face.landmarks.source, 'model');
  t.ok(face.landmarks.confidence > 0 && face.landmarks.confidence <= 0.95);
  t.same(face.warnings, [{ code: 'ERR_DAF_SEVERAL_FACES', message: '2 faces; the largest was used (box 192, 144, 192, 192)' }]);
  await vision.dispose();
  t.not(await openVision({ models: { detector: one, landmarks } }), vision);

  const blind = await openVision({ models: { detector: none, landmarks } });
  await t.rejects(blind.prepare({ bytes }), { code: 'ERR_DAF_NO_FACE' });
  t.equal((await blind.prepare({ bytes, sidecar: { name: 'a.json', bytes: json(150, 120, 60) } })).landmarks.source, 'sidecar');
  await blind.dispose();

  const wrong = await openVision({ models: { detector: { file: landmarks.file, adapter: 'yunet' }, landmarks } });
  await t.rejects(wrong.prepare({ bytes }), { code: 'ERR_DAF_BAD_MODEL' });
  await wrong.dispose();
  const without = await openVision({ models: NONE });
  await t.rejects(without.prepare({ bytes }), { code: 'ERR_DAF_MODEL_MISSING', hint: /--models/ });
  await t.rejects(without.prepare({ bytes, sidecar: { name: 'a.pts', bytes: Buffer.from('x') } }), {
    code: 'ERR_DAF_BAD_LANDMARKS',
  });
  await t.rejects(without.prepare({ bytes: Buffer.from('no photo') }), { code: 'ERR_DAF_BAD_IMAGE' });
});

tap.test('without onnxruntime only detection is missing', async (t) => {
  const dir = t.testdir({
    'a.png': await map(320, 240),
    'b.png': await map(320, 240),
    'b.png.json': json(150, 120, 60),
  } as never);
  writeFileSync(join(dir, 'y.onnx'), yunetModel([]));
  writeFileSync(join(dir, 'p.onnx'), peppaModel(facePoints()));
  const script = `
    const { resolveModels } = await import(${JSON.stringify(new URL('../models/resolve.js', import.meta.url).href)});
    const { openVision } = await import(${JSON.stringify(new URL('./prepare.js', import.meta.url).href)});
    const vision = await openVision({ models: await resolveModels({ models: ${JSON.stringify(dir)} }, {}) });
    const { landmarks } = await vision.prepare({ path: ${JSON.stringify(join(dir, 'b.png'))} });
    const { code, hint } = await vision.prepare({ path: ${JSON.stringify(join(dir, 'a.png'))} }).catch((error) => error);
    process.stdout.write(JSON.stringify({ source: landmarks.source, code, hint }));`;
  const blocked = new URL('./no-ort.test.fixture.js', import.meta.url).href;
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', blocked, '--input-type=module', '-e', script]);
  t.match(JSON.parse(stdout), { source: 'sidecar', code: 'ERR_DAF_VISION_MISSING', hint: /^npm install onnxruntime-node/ });
});
