import t from 'tap';
import { temporaryDirectory } from '../../testing/engine-fixture.js';
import { feed } from './hostile.test.fixture.js';

/** As the quick form, for a minute each. */
const MILLISECONDS = 60_000;

t.test('no file breaks a parser', { timeout: 40 * MILLISECONDS }, (t) => {
  let end = 0;
  return feed(t, temporaryDirectory(t), (round) => {
    if (round === 0) end = performance.now() + MILLISECONDS;
    return performance.now() < end;
  });
});
