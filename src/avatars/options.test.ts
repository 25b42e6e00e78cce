import tap from 'tap';
import { avatarOptions, identityFolder, QUALITY } from './options.js';

tap.test('parameters are completed, checked and frozen', async (t) => {
  const options = avatarOptions({});
  t.equal(options.quality, 'standard');
  t.equal(options.keep, 8);
  t.ok(Object.isFrozen(options));
  t.ok(QUALITY.draft.steps < QUALITY.standard.steps && QUALITY.standard.steps < QUALITY.high.steps);
  for (const params of [{ qualty: 'high' }, { quality: 'best' }, { keep: '0' }, { keep: '1.5' }, { keep: '' }, { seed: '-1' }]) {
    t.throws(() => avatarOptions(params as never), { code: 'ERR_DAF_BAD_OPTION' }, JSON.stringify(params));
  }
});

tap.test("a person's folder is one safe path component and unique", async (t) => {
  t.equal(identityFolder('p01'), 'p01');
  t.equal(identityFolder('Zoë\n/..'), 'Zoë%0A%2F..');
  const odd = [
    '',
    '.',
    '..',
    '%',
    'a b',
    'a%20b',
    '../x',
    'a\\b',
    'x'.repeat(300),
    `${'x'.repeat(299)}y`,
    'ü'.repeat(200),
    'e\u0301',
    '\u00e9',
  ];
  const folders = odd.map(identityFolder);
  t.equal(new Set(folders).size, odd.length);
  for (const folder of folders) t.match(folder, /^[\p{L}\p{N}_%~-][\p{L}\p{N}_.%~-]{0,160}$/u);
});
