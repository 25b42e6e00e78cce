import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { DafError } from '../core/contracts/errors.js';
import { Field } from './field.js';
import { orbit, spherePicture } from './testing-scene.js';
import type { FieldOptions, TrainingView } from './types.js';

const small: FieldOptions = {
  kind: 'hashgrid',
  box: { min: [-12, -12, -12], max: [12, 12, 12] },
  levels: 8,
  log2Entries: 12,
  finest: 64,
  occupancy: 32,
};

const supervised: TrainingView[] = Array.from({ length: 12 }, (_, i) =>
  spherePicture(orbit(i * 2.4, (i % 3) * 0.4 - 0.4, 60, 64), 'supervised'),
);

function code(t: Test, call: () => unknown, expected: string): void {
  try {
    call();
  } catch (error) {
    t.ok(DafError.is(error), String(error));
    t.equal((error as DafError).code, expected, (error as DafError).message);
    return;
  }
  t.fail(`expected ${expected}`);
}

test('a field learns a sphere from rendered views and a photo, and keeps it in a checkpoint', (t) => {
  using field = Field.create(small);
  const photo = { ...spherePicture(orbit(0, 0, 60, 64), 'photo'), depth: null };
  const session = field.train([...supervised, photo], { totalSteps: 250, samplesPerStep: 1024 });
  const first = session.run(20);
  const last = session.run(230);
  t.equal(last.step, 250);
  // Colour joins later, so only the geometry's losses compare.
  t.ok(last.opacityLoss < first.opacityLoss / 4, `${first.opacityLoss} → ${last.opacityLoss}`);
  t.ok(last.depthLoss < first.depthLoss, `${first.depthLoss} → ${last.depthLoss}`);
  session.dispose();

  const camera = orbit(0.9, 0.2, 60, 48);
  const seen = field.render(camera, { floats: true });
  const truth = spherePicture(camera, 'supervised');
  let wrong = 0;
  let depthError = 0;
  let hits = 0;
  for (let i = 0; i < 48 * 48; i++) {
    const inside = (truth.alpha as Float32Array)[i]! > 0.5;
    if (seen.opacity[i]! > 0.5 !== inside) wrong++;
    if (inside && Number.isFinite(seen.depth[i])) {
      depthError += Math.abs(seen.depth[i]! - truth.depth![i]!);
      hits++;
    }
  }
  t.ok(wrong < 48 * 48 * 0.02, `${wrong} pixels on the wrong side of the silhouette`);
  t.ok(depthError / hits < 0.5, `mean depth error ${depthError / hits} of a radius of 6`);
  t.ok(psnr(seen.color!, truth.rgb as Float32Array) > 22, `PSNR ${psnr(seen.color!, truth.rgb as Float32Array)}`);

  const bytes = field.save();
  using again = Field.load(bytes);
  t.same(again.render(camera).rgba, seen.rgba, 'a loaded field renders the same bytes');
  t.same(again.box, field.box);
  const folder = mkdtempSync(join(tmpdir(), 'daf-field-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  field.saveFile(join(folder, 'field.safetensors'));
  t.same(readdirSync(folder), ['field.safetensors']);
  using third = Field.load(join(folder, 'field.safetensors'));
  t.same(third.save(), bytes);

  const { density, color } = field.evaluate(
    Float32Array.of(0, 0, 5.7, 0, 0, 11, 90, 0, 0),
    Float32Array.of(0, 0, -1, 0, 0, -1, 0, 0, -1),
  );
  t.ok(density[0]! > 10 * density[1]!, `inside ${density[0]}, outside ${density[1]}`);
  t.equal(density[2], 0, 'empty outside the box');
  t.equal(color!.length, 9);
  t.end();
});

test('training is the same however the steps are divided', (t) => {
  const run = (parts: number[]): Uint8Array => {
    using field = Field.create(small);
    using session = field.train(supervised, { totalSteps: 30, samplesPerStep: 512 });
    for (const part of parts) session.run(part);
    return field.save();
  };
  t.same(run([30]), run([7, 1, 22]));
  t.end();
});

test('cancel stops training and rendering, and says so', (t) => {
  using field = Field.create(small);
  using session = field.train(supervised, { totalSteps: 1000 });
  const control = new Int32Array(new SharedArrayBuffer(12));
  control[0] = 1;
  code(t, () => session.run(1000, control), 'ERR_DAF_CANCELLED');
  code(t, () => field.render(orbit(0, 0, 60, 64), { control }), 'ERR_DAF_CANCELLED');
  control[0] = 0;
  session.run(2, control);
  t.same([...control], [0, 2, 2]);
  t.end();
});

test('wrong arguments and hostile checkpoints are refused with a code', (t) => {
  code(t, () => Field.create({ ...small, levels: 99 } as FieldOptions), 'ERR_DAF_BAD_ARGUMENT');
  code(t, () => Field.create({ ...small, depht: 3 } as unknown as FieldOptions), 'ERR_DAF_BAD_OPTION');
  code(t, () => Field.create({ ...small, box: { min: [0, 0, 0], max: [1, 0, 1] } }), 'ERR_DAF_BAD_ARGUMENT');
  using field = Field.create(small);
  code(t, () => field.train([]).run(1), 'ERR_DAF_BAD_ARGUMENT');
  const view = supervised[0]!;
  code(t, () => field.train([{ ...view, rgb: new Uint8Array(3) }]), 'ERR_DAF_BAD_ARGUMENT');
  code(t, () => field.train([{ ...view, depth: null }]), 'ERR_DAF_BAD_ARGUMENT');
  code(t, () => field.train([{ ...view, camera: { ...view.camera, translation: [0, 0, 500] } }]).run(1), 'ERR_DAF_BAD_DATA');
  code(t, () => field.render({ ...view.camera, focal: Number.NaN }), 'ERR_DAF_BAD_ARGUMENT');
  code(t, () => field.render(view.camera, { width: 1e6 }), 'ERR_DAF_BAD_ARGUMENT');
  const bytes = field.save();
  for (const length of [0, 7, 8, 100, bytes.length - 1]) code(t, () => Field.load(bytes.slice(0, length)), 'ERR_DAF_BAD_DATA');
  const poisoned = bytes.slice();
  new DataView(poisoned.buffer).setUint32(poisoned.length - small.occupancy! ** 3 / 8 - 4, 0x7fc00000, true);
  code(t, () => Field.load(poisoned), 'ERR_DAF_BAD_DATA');
  const file = join(t.testdir(), 'poisoned.safetensors');
  writeFileSync(file, poisoned);
  t.throws(() => Field.load(file), { code: 'ERR_DAF_BAD_DATA', message: /poisoned\.safetensors: safetensors: tensor/ });
  code(t, () => Field.load('/nonexistent/field.safetensors'), 'ERR_DAF_NOT_FOUND');
  field.dispose();
  code(t, () => field.save(), 'ERR_DAF_BAD_ARGUMENT');
  field.dispose();
  t.end();
});

function psnr(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return -10 * Math.log10(sum / a.length);
}
