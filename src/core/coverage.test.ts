import t from 'tap';
import type { Coverage } from './contracts/coverage.js';
import { CoverageSum } from './coverage.js';

function cover(...runs: [string, number, number][]): Coverage {
  const sum = new CoverageSum();
  for (const [file, begin, end] of runs) sum.addRun(file, begin, end);
  return sum.total;
}

t.test('the same for the same bytes, however they are cut', async (t) => {
  const whole = cover(['a', 0, 100], ['b', 0, 5]);
  t.equal(whole.bytes, 105);
  t.same(cover(['b', 0, 5], ['a', 40, 100], ['a', 0, 40], ['a', 7, 7]), whole);
  t.same(cover(['empty', 0, 0]), { bytes: 0, seams: 0 });
});

t.test('another for a gap, an overlap, and both of one size', async (t) => {
  const whole = cover(['a', 0, 100]);
  t.notSame(cover(['a', 0, 40], ['a', 41, 100]), whole);
  t.notSame(cover(['a', 0, 41], ['a', 40, 100]), whole);
  for (const runs of [
    [
      ['a', 0, 41],
      ['a', 40, 70],
      ['a', 71, 100],
    ],
    [
      ['a', 0, 50],
      ['a', 0, 50],
    ],
    [['b', 0, 100]],
  ] as [string, number, number][][]) {
    t.equal(cover(...runs).bytes, 100);
    t.not(cover(...runs).seams, whole.seams);
  }
});
