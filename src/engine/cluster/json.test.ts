import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { temporaryDirectory, writeFiles } from '../../testing/engine-fixture.js';
import { defineJob } from '../jobs/define.js';
import { Cluster } from './cluster.js';
import { verifyOutput } from './verify.js';

const cluster = await Cluster.local({ workers: 2, heartbeatMs: 100, leaseMs: 2000 });
t.teardown(() => cluster.close());

const spending = defineJob({
  name: 'spending',
  input: { kind: 'json' },
  output: { kind: 'json' },
  map({ json }, emit) {
    const { who, cents } = json as { who: string; cents: number };
    emit(who, String(cents));
  },
  reduce(who, amounts, emit) {
    let cents = 0;
    for (const amount of amounts) cents += Number(amount);
    emit(who, JSON.stringify({ who, cents }));
  },
});

t.test('lines of JSON in, lines of JSON out', async (t) => {
  const folder = temporaryDirectory(t);
  const lines = Array.from({ length: 300 }, (_, i) => JSON.stringify({ who: `né ${i % 7}`, cents: i }));
  writeFiles(folder, { 'a.jsonl': `${lines.slice(0, 150).join('\n')}\n`, 'b.jsonl': lines.slice(150).join('\r\n') });
  const options = { input: '*.jsonl', cwd: folder, output: join(folder, 'out'), splitSize: 500, reducers: 1 };
  const result = await (await cluster.submit(spending, options)).result();
  const sums = Array.from({ length: 7 }, () => 0);
  for (let i = 0; i < 300; i++) sums[i % 7]! += i;
  const expected = sums.map((cents, i) => ({ who: `né ${i}`, cents }));
  const found: unknown[] = [];
  for await (const each of result.json()) found.push(each);
  t.same(found, expected);
  t.equal(readFileSync(join(folder, 'out/part-r-00000'), 'utf8'), expected.map((each) => `${JSON.stringify(each)}\n`).join(''));
  t.equal((await verifyOutput(fileURLToPath(result.output))).problems.length, 0);
});

t.test('a line that is not JSON fails the job with its place', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'bad.jsonl': '{"who":"a","cents":1}\n{"who":\n' });
  const job = await cluster.submit(spending, { input: 'bad.jsonl', cwd: folder, maxAttempts: 1 });
  const cause = { code: 'ERR_DAF_BAD_DATA', message: /byte 22 of bad\.jsonl/ };
  await t.rejects(job.result(), { cause: { code: 'ERR_DAF_TASK_FAILED', cause } });
});

t.test('a value that is not JSON fails the job', async (t) => {
  const job = defineJob({ name: 'not-json', output: { kind: 'json' }, map: ({ value }, emit) => emit('', value) });
  const handle = await cluster.submit(job, { input: { items: ['1', 'word'] }, maxAttempts: 1 });
  await t.rejects(handle.result(), { cause: { code: 'ERR_DAF_TASK_FAILED', cause: { code: 'ERR_DAF_USER_CODE' } } });
});
