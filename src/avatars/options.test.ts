import tap from 'tap';
import { avatarOptions, identityFolder, QUALITY } from './options.js';

tap.test('parameters are completed, checked and frozen', async (t) => {
  const options = avatarOptions({});
  t.equal(options.quality, 'standard');
  t.equal(options.keep, 8);
  t.ok(Object.isFrozen(options));
  t.ok(QUALITY.preview.steps < QUALITY.draft.steps && QUALITY.preview.texture < QUALITY.draft.texture);
  t.ok(QUALITY.draft.steps < QUALITY.standard.steps && QUALITY.standard.steps < QUALITY.high.steps);
  // What a draft's hundred steps teach: wide networks and a late start of colour cost it half a decibel.
  t.ok(QUALITY.draft.fieldWidth < QUALITY.standard.fieldWidth && QUALITY.draft.colorDelay < QUALITY.standard.colorDelay);
  t.ok(2048 * QUALITY.draft.steps >= 300_000 && 2048 * QUALITY.standard.steps >= 1_200_000, 'the least that is asked of fields');
  for (const params of [
    { qualty: 'high' },
    { quality: 'best' },
    { quality: 'constructor' },
    { keep: '0' },
    { keep: '1.5' },
    { keep: '' },
    { seed: '-1' },
  ]) {
    t.throws(() => avatarOptions(params as never), { code: 'ERR_DAF_BAD_OPTION' }, JSON.stringify(params));
  }
});

tap.test("a person's folder is one safe path component", async (t) => {
  for (const key of ['p01', 'Zoë', '李-2', 'a.b_c']) t.equal(identityFolder(key), key);
  for (const key of ['', '.', '..', 'a/b', '../x', 'a b', 'a\n', '%', '.hidden', 'x'.repeat(81)]) {
    t.throws(() => identityFolder(key), { code: 'ERR_DAF_BAD_ARGUMENT' }, JSON.stringify(key));
  }
});
