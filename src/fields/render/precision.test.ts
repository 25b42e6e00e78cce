import { execFileSync } from 'node:child_process';
import tap from 'tap';
import { addon } from '../../core/addon/index.js';
import { Field } from '../field.js';
import { orbit } from '../testing-scene.js';
import { usablePrecision } from './precision.js';
import type { Precision } from './types.js';

const box = { min: [-1, -1, -1], max: [1, 1, 1] } as const;
const camera = orbit(0.3, 0.2, 6, 24);

tap.test('bf16 and int8 show almost what fp32 shows, and not by being it', (t) => {
  using field = Field.create({ kind: 'classic', box, width: 64, depth: 4, occupancy: 8 });
  const points = Float32Array.from({ length: 300 }, (_, i) => Math.sin(i * 12.9898));
  const directions = Float32Array.from(points, (_, i) => (i % 3 === 2 ? 1 : 0));
  const exact = field.evaluate(points, directions);
  const picture = (precision: Precision): Float32Array => field.render(camera, { floats: true, precision }).color!;
  for (const precision of ['bf16', 'int8'] as const) {
    if (!addon().cpuInfo().precisions.includes(precision)) {
      t.pass(`skipped: this CPU has no ${precision}`);
      continue;
    }
    const { color } = field.evaluate(points, directions, null, precision);
    t.notSame(color, exact.color);
    t.ok(distance(color!, exact.color!) < 0.01, `${precision}: ${distance(color!, exact.color!)} of colour`);
    t.ok(distance(picture(precision), picture('fp32')) < 0.01, `${precision}: ${distance(picture(precision), picture('fp32'))}`);
  }
  t.end();
});

tap.test('a hash grid has no int8, and names are checked', (t) => {
  using field = Field.create({ kind: 'hashgrid', box, occupancy: 8, log2Entries: 10 });
  if (addon().cpuInfo().precisions.includes('int8')) {
    t.throws(() => field.render(camera, { precision: 'int8' }), { code: 'ERR_DAF_UNSUPPORTED' });
  }
  t.throws(() => field.render(camera, { precision: 'fp16' as Precision }), { code: 'ERR_DAF_BAD_OPTION' });
  t.equal(usablePrecision(), 'fp32');
  t.end();
});

tap.test('where the instructions are missing, fp32 takes over and one warning says so', (t) => {
  if (!addon().cpuInfo().supported.includes('avx2')) {
    t.pass('skipped: this CPU has no AVX2 to force');
    t.end();
    return;
  }
  const script = `
    import { usablePrecision } from ${JSON.stringify(new URL('precision.js', import.meta.url).href)};
    const seen = [];
    process.on('warning', (warning) => seen.push(warning.code));
    const used = [usablePrecision('bf16'), usablePrecision('bf16')];
    setImmediate(() => console.log(JSON.stringify({ used, seen })));`;
  const text = execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '--eval', script], {
    env: { ...process.env, DAF_FORCE_ISA: 'avx2' },
    encoding: 'utf8',
  });
  t.same(JSON.parse(text), { used: ['fp32', 'fp32'], seen: ['DAF_PRECISION'] });
  t.end();
});

/** Root of the mean square. */
function distance(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / a.length);
}
