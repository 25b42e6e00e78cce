import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import tap from 'tap';
import { DafError } from '../../core/contracts/errors.js';
import type { Pixels } from '../types.js';
import { openDetector } from './detector.js';
import { embeddedModels } from './embedded.js';
import { identifyModel } from './identify.js';
import { openLandmarker } from './landmarker.js';
import { constantModel, daf68Model, facePoints, peppaModel, ultrafaceModel, yunetModel } from './onnx.test.fixture.js';
import { readOnnxHeader } from './onnx-header.js';
import { resolveModels } from './resolve.js';

const grey = (width: number, height: number): Pixels => ({
  width,
  height,
  channels: 3,
  data: new Uint8Array(3 * width * height).fill(90),
});
const cell = { column: 5, row: 7, score: 0.81, size: 48, roll: 0.3 };
const other = constantModel({ name: 'x', dims: [1, 10] }, [{ name: 'y', dims: [1, 2] }]);

tap.test('a header tells inputs and outputs, weights left out', async (t) => {
  const header = readOnnxHeader(peppaModel(facePoints()));
  t.same(header.inputs, [{ name: 'input1', dims: [1, 3, 160, 160], float32: true }]);
  t.same(header.outputs, [{ name: 'output1', dims: [1, 143], float32: true }]);
  t.equal(identifyModel(header), 'peppa68');
  t.equal(identifyModel(readOnnxHeader(yunetModel([]))), 'yunet');
  t.equal(identifyModel(readOnnxHeader(ultrafaceModel([]))), 'ultraface');
  t.equal(identifyModel(readOnnxHeader(other)), null);
  t.same(readOnnxHeader(constantModel({ name: 'x', dims: [1, 3, null, 8] }, [])).inputs[0]?.dims, [1, 3, null, 8]);
});

tap.test('near misses are no model of ours', async (t) => {
  const points = { name: 'output1', dims: [1, 136] };
  t.equal(identifyModel(readOnnxHeader(constantModel({ name: 'a', dims: [1, 3, 160, 160] }, [points]))), null);
  t.equal(
    identifyModel(readOnnxHeader(constantModel({ name: 'a', dims: [1, 1, 160, 160] }, [{ ...points, dims: [1, 143] }]))),
    null,
  );
  t.equal(
    identifyModel(readOnnxHeader(constantModel({ name: 'a', dims: [1, 3, 240, 320] }, [{ name: 'scores', dims: [1, 9, 2] }]))),
    null,
  );
});

tap.test('every truncation of a model and random bytes are refused, never crash', async (t) => {
  const bytes = peppaModel(facePoints());
  for (let length = 0; length < bytes.length; length += 7) {
    try {
      identifyModel(readOnnxHeader(bytes.subarray(0, length)));
    } catch (error) {
      if (!DafError.is(error) || error.code !== 'ERR_DAF_BAD_MODEL') throw error;
    }
  }
  let seed = 1;
  const noise = new Uint8Array(200);
  for (let round = 0; round < 500; ++round) {
    for (let i = 0; i < noise.length; ++i) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      noise[i] = seed >>> 24;
    }
    t.throws(() => readOnnxHeader(noise), { code: 'ERR_DAF_BAD_MODEL' });
  }
});

tap.test('models are found and refused by what they are', async (t) => {
  const dir = t.testdir({
    good: {
      'b.onnx': yunetModel([]),
      'a.onnx': ultrafaceModel([]),
      'c.onnx': peppaModel(facePoints()),
      'd.onnx': other,
      'x.txt': '',
    },
    half: { 'a.onnx': ultrafaceModel([]), 'text.onnx': 'not a model' },
  } as never);
  const good = join(dir, 'good');
  const found = {
    detector: { file: join(good, 'b.onnx'), adapter: 'yunet' },
    landmarks: { file: join(good, 'c.onnx'), adapter: 'peppa68' },
  };
  t.same(await resolveModels({ models: good }, {}), found, 'a detector with points before one without');
  t.same(await resolveModels({}, { DAF_MODELS: good }), found);
  t.same(await resolveModels({}, {}), embeddedModels());
  const own = embeddedModels();
  const byName = resolveModels({ models: 'embedded' }, { DAF_MODELS: good });
  if (own.detector !== null && own.landmarks !== null) t.same(await byName, own, 'whatever else there is');
  else await t.rejects(byName, { code: 'ERR_DAF_MODEL_MISSING', hint: /daf models add/ });
  t.same(await resolveModels({ detector: join(good, 'a.onnx') }, {}), {
    detector: { file: join(good, 'a.onnx'), adapter: 'ultraface' },
    landmarks: embeddedModels().landmarks,
  });
  const peppa = join(good, 'c.onnx');
  t.same(
    await resolveModels({ landmarks: peppa }, {}),
    { detector: null, landmarks: { file: peppa, adapter: 'peppa68' } },
    'candidates need somebody who judges them',
  );
  const chosen = await resolveModels({ models: good, detector: join(good, 'a.onnx') }, {});
  t.same(chosen, { ...found, detector: { file: join(good, 'a.onnx'), adapter: 'ultraface' } });
  await t.rejects(resolveModels({ models: join(dir, 'half') }, {}), {
    code: 'ERR_DAF_MODEL_MISSING',
    message: /landmark model.*text\.onnx: not an ONNX model/,
    hint: /160/,
  });
  await t.rejects(resolveModels({ models: join(dir, 'none') }, {}), { code: 'ERR_DAF_MODEL_MISSING', hint: /--models/ });
  await t.rejects(resolveModels({ detector: join(good, 'none.onnx') }, {}), { code: 'ERR_DAF_MODEL_MISSING' });
  await t.rejects(resolveModels({ detector: join(good, 'c.onnx') }, {}), { code: 'ERR_DAF_BAD_MODEL', hint: /YuNet/ });
  await t.rejects(resolveModels({ landmarks: join(good, 'd.onnx') }, {}), { code: 'ERR_DAF_BAD_MODEL', message: /x \[1,10\]/ });
  await t.rejects(resolveModels({ landmarks: join(dir, 'half/text.onnx') }, {}), { code: 'ERR_DAF_BAD_MODEL' });
});

tap.test('adapters speak the published formats', async (t) => {
  const dir = t.testdir();
  mkdirSync(dir, { recursive: true });
  const file = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(dir, name), bytes);
    return join(dir, name);
  };
  const yunet = await openDetector({
    file: file('y.onnx', yunetModel([cell, { ...cell, column: 15, score: 0.3 }])),
    adapter: 'yunet',
  });
  t.same([yunet.canvasWidth, yunet.canvasHeight, yunet.step], [320, 320, null]);
  const [face, ...more] = await yunet.detect(grey(320, 320));
  t.same(more, [], 'below the threshold');
  t.ok(Math.abs(face!.score - 0.81) < 1e-6, 'the root of both scores');
  t.ok(Math.abs(face!.x - (5.5 * 16 - 24)) < 1e-3 && Math.abs(face!.y - (7.5 * 16 - 24)) < 1e-3);
  t.ok(Math.abs(face!.width - 48) < 1e-3 && Math.abs(face!.height - 48) < 1e-3);
  t.ok(Math.abs(face!.roll! - 0.3) < 1e-6);
  await yunet.dispose();

  const ultra = await openDetector({ file: file('u.onnx', ultrafaceModel([[0.25, 0.5, 0.5, 1, 0.9]])), adapter: 'ultraface' });
  const [second] = await ultra.detect(grey(320, 240));
  t.match(second, { x: 80, y: 120, width: 80, height: 120, roll: null });
  await ultra.dispose();

  const points = facePoints();
  const peppa = await openLandmarker({ file: file('p.onnx', peppaModel(points)), adapter: 'peppa68' });
  const { points: seen, face: unsaid } = await peppa.locate(grey(100, 100), {
    centerX: 40,
    centerY: 50,
    width: 20,
    height: 60,
    angle: 0,
  });
  t.ok(Math.abs(seen[60]! - (30 + 20 * points[60]!)) < 1e-4 && Math.abs(seen[61]! - (20 + 60 * points[61]!)) < 1e-4);
  t.same([unsaid, peppa.judges], [null, false]);
  await peppa.dispose();

  const own = await openLandmarker({ file: file('d.onnx', daf68Model(points)), adapter: 'daf68' });
  const { points: square, face: said } = await own.locate(grey(100, 100), {
    centerX: 40,
    centerY: 50,
    width: 20,
    height: 60,
    angle: 0,
  });
  t.ok(
    Math.abs(square[60]! - (10 + 60 * points[60]!)) < 1e-4 && Math.abs(square[61]! - (20 + 60 * points[61]!)) < 1e-4,
    'a square',
  );
  t.ok(own.judges && Math.abs(said! - 0.9) < 1e-6, 'and says whether there is a face');
  const { points: mirrored } = await own.locate(grey(100, 100), { centerX: 40, centerY: 50, width: -20, height: 60, angle: 0 });
  t.ok(Math.abs(mirrored[60]! - (70 - 60 * points[60]!)) < 1e-4, 'in a mirror');
  await own.dispose();
  const mad = await openLandmarker({ file: file('m.onnx', daf68Model(points, 3)), adapter: 'daf68' });
  const box = { centerX: 9, centerY: 9, width: 9, height: 9, angle: 0 };
  await t.rejects(mad.locate(grey(20, 20), box), { code: 'ERR_DAF_BAD_MODEL', message: /whether/ });
  await mad.dispose();

  await t.rejects(openDetector({ file: file('t.onnx', Buffer.from('text')), adapter: 'yunet' }), { code: 'ERR_DAF_BAD_MODEL' });
  await t.rejects(openDetector({ file: join(dir, 'p.onnx'), adapter: 'peppa68' }), { code: 'ERR_DAF_BAD_MODEL' });
  await t.rejects(openLandmarker({ file: join(dir, 'y.onnx'), adapter: 'yunet' }), { code: 'ERR_DAF_BAD_MODEL' });
});
