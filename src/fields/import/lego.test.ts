import { test } from 'tap';
import { legoAgainstTinyLego, skipLego } from './lego.test.fixture.js';

test('an imported network renders held-out views as its author measured', { skip: skipLego }, async (t) => {
  const { psnr } = await legoAgainstTinyLego({}, 6);
  t.ok(psnr >= 26.9, `${psnr} dB with empty space skipped`);
});
