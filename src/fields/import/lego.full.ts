import { test } from 'tap';
import { legoAgainstTinyLego, skipLego } from './lego.test.fixture.js';

test('an imported network renders held-out views as its author measured, every sample evaluated', {
  skip: skipLego,
}, async (t) => {
  const { psnr, images } = await legoAgainstTinyLego({ exhaustive: true }, 6);
  t.equal(images.length, 6);
  t.ok(psnr >= 26.9, `${psnr} dB`);
});
