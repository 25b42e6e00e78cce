import t from 'tap';
import { checkKeys, formatBytes, parseBytes, parseDuration, parseWhole, suggest } from './index.js';

t.test('bytes: MB is 2^20', async (t) => {
  t.equal(parseBytes('memory', '512MB'), 512 << 20);
  t.equal(parseBytes('memory', '1.5 GB'), 1.5 * 2 ** 30);
  t.equal(parseBytes('memory', '64k'), 65536);
  t.equal(parseBytes('memory', '3MiB'), 3 << 20);
  t.equal(parseBytes('memory', 10), 10);
  t.equal(parseBytes('memory', '10b'), 10);
  for (const wrong of ['', 'MB', '-1MB', '5 parsecs', Number.NaN, null, undefined, {}, Infinity]) {
    t.throws(() => parseBytes('memory', wrong), { code: 'ERR_DAF_BAD_OPTION' }, String(wrong));
  }
  t.throws(() => parseBytes('memory', '1MB', 2 << 20), { code: 'ERR_DAF_BAD_OPTION' });
  t.equal(formatBytes(512 << 20), '512 MB');
  t.equal(formatBytes(1.5 * 2 ** 30), '1.5 GB');
});

t.test('durations and whole numbers', async (t) => {
  t.equal(parseDuration('lease', '5s'), 5000);
  t.equal(parseDuration('lease', '250ms'), 250);
  t.equal(parseDuration('lease', '2m'), 120_000);
  t.equal(parseDuration('lease', 7), 7);
  t.throws(() => parseDuration('lease', 'soon'), { code: 'ERR_DAF_BAD_OPTION' });
  t.throws(() => parseDuration('lease', '1ms', 10), { code: 'ERR_DAF_BAD_OPTION' });
  t.equal(parseWhole('workers', '3', 1, 9), 3);
  for (const wrong of ['', '3.5', 0, 10, 'x', null]) {
    t.throws(() => parseWhole('workers', wrong, 1, 9), { code: 'ERR_DAF_BAD_OPTION' });
  }
});

t.test('a misspelt option is refused with what was meant', async (t) => {
  checkKeys('Cluster.local', { workers: 2 }, ['workers', 'memory']);
  t.throws(() => checkKeys('Cluster.local', { worker: 2 }, ['workers', 'memory']), {
    code: 'ERR_DAF_BAD_OPTION',
    hint: 'did you mean "workers"?',
  });
  t.equal(suggest('readOnly', ['readonly', 'write']), 'readonly');
  t.equal(suggest('zzz', ['readonly', 'write']), undefined);
});
