import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { JobDefinition } from '../../core/contracts/definition.js';
import { DafError } from '../../core/contracts/errors.js';
import { temporaryDirectory, writeFiles } from '../../testing/engine-fixture.js';
import { defineJob } from '../jobs/define.js';
import grep from '../jobs/grep.js';
import sort from '../jobs/sort.js';
import { Cluster } from './cluster.js';

t.test('shipped jobs refuse wrong parameters', async (t) => {
  const refused: [JobDefinition, Record<string, string>, RegExp][] = [
    [grep, {}, /needs a pattern/],
    [grep, { pattern: '(' }, /pattern "\("/],
    [grep, { pattern: 'a', flags: 'x' }, /flag/],
    [grep, { pattern: 'a', falgs: 'i' }, /falgs/],
    [sort, { key: '1.5' }, /key is "1.5"/],
    [sort, { record: '10', key: '11' }, /key is "11"/],
    [sort, { record: '-1' }, /record is "-1"/],
    [sort, { recrod: '1' }, /recrod/],
  ];
  for (const [job, params, message] of refused) {
    t.throws(() => void job.check!(params), { code: 'ERR_DAF_BAD_OPTION', message }, `${job.name} ${JSON.stringify(params)}`);
  }
  grep.check!({ pattern: '^a', flags: 'i' });
  sort.check!({ record: '10', key: '10' });
});

t.test('wrong parameters are refused at submit, and nothing is made', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'in.txt': 'one\ntwo\n' });
  const output = join(folder, 'out');
  await using cluster = await Cluster.local({ workers: 1 });
  const picky = defineJob({
    name: 'picky',
    check: async ({ size = '' }) => {
      if (size !== 'small') throw new RangeError(`size ${size}`);
    },
    map: ({ value }, emit) => emit(value, ''),
  });
  const submit = (params: Record<string, string>) => cluster.submit(picky, { input: join(folder, 'in.txt'), output, params });
  await t.rejects(submit({ size: 'large' }), { name: 'RangeError', message: 'size large' });
  t.notOk(existsSync(output));
  t.same(await cluster.jobs(), []);
  const accepted = await submit({ size: 'small' });
  await accepted.result();
  t.equal((await accepted.status()).name, 'picky');
});

t.test('what DAF refuses in a task ends the job at once, what a user’s code throws is tried again', async (t) => {
  await using cluster = await Cluster.local({ workers: 1 });
  const failing = (code: string) =>
    defineJob({
      name: 'failing',
      map: ({ value }) => {
        throw Object.assign(new Error(value), { code: value });
      },
      check: () => {
        if (code === '') throw new DafError('ERR_DAF_BAD_OPTION', 'unreachable');
      },
    });
  for (const [code, attempts] of [
    ['ERR_DAF_BAD_ARGUMENT', 1],
    ['EPLAIN', 2],
  ] as const) {
    const job = await cluster.submit(failing(code), { input: { items: [code] }, maxAttempts: 2 });
    await t.rejects(job.result(), { code: 'ERR_DAF_JOB_FAILED' });
    t.equal((await job.status()).failedAttempts, attempts, code);
  }
});
