import t from 'tap';
import { DafError } from '../../../core/contracts/errors.js';
import { isolate } from './isolate.js';

const boom = new DafError('ERR_DAF_USER_CODE', 'boom');

t.test('every record that kills is found, in few tries', async (t) => {
  for (const bad of [[], [0], [999], [0, 999], [500, 501, 502], [7]]) {
    let tries = 0;
    const found = await isolate(0, 1000, async (from, to) => {
      tries += 1;
      return bad.some((each) => from <= each && each < to) ? boom : null;
    });
    t.same(
      found.map(({ index }) => index),
      bad,
    );
    t.ok(tries <= 1 + 22 * bad.length, `${tries} tries for ${bad.length}`);
  }
  t.same(await isolate(0, 0, async () => boom), [], 'nothing has nothing bad');
});

t.test('a record that dies once by bad luck is not blamed', async (t) => {
  let alone = 0;
  const found = await isolate(0, 1000, async (from, to) => {
    if (to - from === 1 && from === 0) alone += 1;
    return from === 0 && alone < 2 ? boom : null;
  });
  t.equal(alone, 2);
  t.same(found, []);
});
