import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import tap from 'tap';
import { synthesizeShards } from './synth.js';

/** Of a face. */
const VALUES = 245;

tap.test('pictures with truth that fits them, the same each time, kept when there', async (t) => {
  const out = t.testdir();
  const options = { out, count: 3, form: 'plain', side: 96, seed: 5, head: null } as const;
  t.equal(await synthesizeShards(options), 3);
  t.same(readdirSync(out).sort(), ['plain-5-0000.faces', 'plain-5-0000.rgb', 'plain-5-0000.truth']);
  const truth = new Float32Array(new Uint8Array(readFileSync(join(out, 'plain-5-0000.truth'))).buffer);
  t.equal(truth.length, 3 * 4 * VALUES);
  t.same([...readFileSync(join(out, 'plain-5-0000.faces'))], [1, 1, 1]);
  const rgb = readFileSync(join(out, 'plain-5-0000.rgb'));
  t.equal(rgb.length, 3 * 96 * 96 * 3);
  for (let i = 0; i < 3; ++i) {
    const face = truth.subarray(i * 4 * VALUES);
    const [left, top, right, bottom] = face.subarray(204, 208);
    t.ok(left! > 0 && top! > 0 && right! < 96 && bottom! < 96 && right! - left! > 25, 'framed');
    const x = (k: number): number => face[2 * k]!;
    const y = (k: number): number => face[2 * k + 1]!;
    t.ok(Array.from({ length: 68 }, (_, k) => k).every((k) => x(k) >= left! - 0.01 && x(k) <= right! + 0.01));
    t.ok(Math.hypot(x(8) - x(27), y(8) - y(27)) > 15, 'chin and nose bridge lie apart');
  }
  const before = statSync(join(out, 'plain-5-0000.rgb')).mtimeMs;
  t.equal(await synthesizeShards(options), 0, 'nothing is done twice');
  t.equal(statSync(join(out, 'plain-5-0000.rgb')).mtimeMs, before);
  rmSync(join(out, 'plain-5-0000.truth'));
  await synthesizeShards(options);
  t.same(readFileSync(join(out, 'plain-5-0000.rgb')), rgb, 'the same bytes');
});

tap.test('scenes hold none to four faces, and a bad size is refused', async (t) => {
  const out = t.testdir();
  await synthesizeShards({ out, count: 12, form: 'scenes', side: 96, seed: 2, head: null });
  const faces = [...readFileSync(join(out, 'scenes-2-0000.faces'))];
  t.ok(faces.every((count) => count <= 4) && faces.some((count) => count > 0) && new Set(faces).size > 1, faces.join(' '));
  await t.rejects(synthesizeShards({ out, count: 1, form: 'crops', side: 9, seed: 1, head: null }), {
    code: 'ERR_DAF_BAD_ARGUMENT',
  });
});
