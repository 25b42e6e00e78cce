import t from 'tap';
import { RecordBatch } from '../../../core/addon/records.js';
import { JsonLines } from './json-lines.js';

/** Checks values as batches of about 1 KB: longer ones go in pieces. */
function check(...values: (string | Uint8Array)[]): void {
  const lines = new JsonLines();
  const batch = new RecordBatch(1 << 10, (packed) => lines.check(packed));
  for (const value of values) batch.add('key', value);
  batch.flush();
}

t.test('lines of JSON pass, also in pieces', async (t) => {
  check('1', 'null', '"é"', '{"a":[1,2]}', JSON.stringify('long '.repeat(2000)), 'true');
  t.pass();
});

t.test('what is no line of JSON does not', async (t) => {
  const bad = ['', 'word', '{"a":', '[1,\n2]', Uint8Array.of(34, 255, 34), `"${'long '.repeat(2000)}`];
  for (const value of bad) t.throws(() => check('1', value, '2'), { code: 'ERR_DAF_USER_CODE' });
});
