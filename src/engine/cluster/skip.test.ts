import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryDirectory, writeFiles } from '../../testing/engine-fixture.js';
import { defineJob } from '../jobs/define.js';
import { Cluster } from './cluster.js';
import { verifyOutput } from './verify.js';

const cluster = await Cluster.local({ workers: 2, heartbeatMs: 100, leaseMs: 2000 });
t.teardown(() => cluster.close());

const lines = Array.from({ length: 2000 }, (_, i) => `line ${i}`);
const BAD = [0, 777, 778, 1999];
for (const i of BAD) lines[i] = `bad ${i}`;
const text = `${lines.join('\n')}\n`;

/** Throws at some lines after it has emitted and counted; what it does then must leave no trace. */
const fragile = defineJob({
  name: 'fragile',
  map({ value }, emit, context) {
    emit(value.slice(0, 4), '1');
    context.counters.add('mapped');
    if (value.startsWith('bad')) throw new Error(`cannot take ${value}`);
  },
  reduce: (key, ones, emit) => emit(key, String([...ones].length)),
});

t.test('records that kill their task go to quarantine, and everything else is counted once', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'in.txt': text });
  const output = join(folder, 'out');
  const options = { input: 'in.txt', cwd: folder, output, splitSize: 9000, reducers: 1, maxSkipped: 4 };
  const result = await (await cluster.submit(fragile, options)).result();
  t.equal(readFileSync(join(output, 'part-r-00000'), 'utf8'), 'line\t1996\n');
  t.same(result.counters, { mapped: 1996 });
  t.match(result.manifest.inputs, { records: 2000, mapped: 1996, skipped: 4 });
  t.match(await verifyOutput(output), { inputRecords: 2000, skipped: 4, problems: { length: 0 } });
  const listed = result.manifest.outputs.filter(({ name }) => name.startsWith('quarantine/'));
  const found = listed.flatMap(({ name }) => readFileSync(join(output, name), 'utf8').trim().split('\n'));
  const expected = BAD.map((i) => ({
    source: 'in.txt',
    offset: text.indexOf(`bad ${i}\n`),
    value: Buffer.from(`bad ${i}`).toString('base64'),
    code: 'ERR_DAF_USER_CODE',
    message: new RegExp(`cannot take bad ${i}$`),
  }));
  t.match(
    found.map((line) => JSON.parse(line) as unknown),
    expected,
  );
});

t.test('one more than may be skipped fails the job, whether in one task or in several', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'in.txt': text });
  for (const [splitSize, maxSkipped] of [
    [1 << 20, 3],
    [9000, 3],
    [9000, 0],
  ] as const) {
    const job = await cluster.submit(fragile, { input: 'in.txt', cwd: folder, splitSize, maxSkipped });
    await t.rejects(job.result(), { code: 'ERR_DAF_JOB_FAILED' }, `${splitSize}`);
  }
});

t.test('records of a total order keep their places', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'in.txt': text });
  const output = join(folder, 'out');
  const sorted = defineJob({
    name: 'fragile-sort',
    order: 'total',
    map({ value }, emit) {
      if (value === 'bad 777') throw new Error('no');
      emit(value.slice(0, 4), value);
    },
    reduce(_, values, emit) {
      for (const value of values) emit('', value);
    },
    output: { kind: 'text', separator: '' },
  });
  const options = { input: 'in.txt', cwd: folder, output, splitSize: 9000, reducers: 2, maxSkipped: 2 };
  const result = await (await cluster.submit(sorted, options)).result();
  const expected = [...BAD.filter((i) => i !== 777).map((i) => `bad ${i}`), ...lines.filter((line) => line.startsWith('line'))];
  t.equal(await result.text(), `${expected.join('\n')}\n`);
});

t.test('a record that its combiner dies of is found as well, gathered or in the sort', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'in.txt': text });
  for (const long of [false, true]) {
    const picky = defineJob({
      name: long ? 'picky-long' : 'picky',
      // Values above 254 bytes are not gathered: the sort's own combine pass sees them.
      map: long
        ? ({ value }, emit) => emit(value.slice(0, 4), value.padEnd(300))
        : ({ value }, emit) => emit(value.slice(0, 4), value),
      combine(key, values, emit) {
        for (const value of values) {
          if (value.startsWith('bad 777')) throw new Error('not this one');
          emit(key, value);
        }
      },
      reduce: (key, values, emit) => emit(key, String([...values].length)),
    });
    const output = join(folder, picky.name);
    const options = { input: 'in.txt', cwd: folder, output, splitSize: 9000, reducers: 1, maxSkipped: 1 };
    const result = await (await cluster.submit(picky, options)).result();
    t.equal(readFileSync(join(output, 'part-r-00000'), 'utf8'), 'bad \t3\nline\t1996\n');
    t.match(result.manifest.inputs, { records: 2000, mapped: 1999, skipped: 1 });
    const [listed] = result.manifest.outputs.filter(({ name }) => name.startsWith('quarantine/'));
    t.match(JSON.parse(readFileSync(join(output, listed!.name), 'utf8')), {
      offset: text.indexOf('bad 777\n'),
      message: /not this one$/,
    });
  }
});

/** Dies of one line by an end of its process, of one by never returning, and throws at one. */
const deadly = defineJob({
  name: 'deadly',
  map({ value }, emit, context) {
    emit(value.slice(0, 4), '1');
    context.counters.add('mapped');
    if (value === 'bad 0') process.kill(process.pid, 'SIGKILL');
    if (value === 'bad 777') process.exit(3);
    while (value === 'bad 778');
    if (value === 'bad 1999') throw new Error('no');
  },
  reduce: (key, ones, emit) => emit(key, String([...ones].length)),
});

t.test('records that hang or end their process are found as well', { timeout: 120_000 }, async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'in.txt': text });
  const output = join(folder, 'out');
  const options = { input: 'in.txt', cwd: folder, output, splitSize: 9000, reducers: 1, maxSkipped: 4, taskTimeoutMs: 2500 };
  const result = await (await cluster.submit(deadly, options)).result();
  t.equal(readFileSync(join(output, 'part-r-00000'), 'utf8'), 'line\t1996\n');
  t.same(result.counters, { mapped: 1996 });
  t.match(await verifyOutput(output), { inputRecords: 2000, skipped: 4, problems: { length: 0 } });
  const listed = result.manifest.outputs.filter(({ name }) => name.startsWith('quarantine/'));
  const found = listed.flatMap(({ name }) => readFileSync(join(output, name), 'utf8').trim().split('\n'));
  t.match(
    found.map((line) => JSON.parse(line) as unknown),
    [
      { offset: 0, code: 'ERR_DAF_USER_CODE', message: 'it ended its process (SIGKILL)' },
      { offset: text.indexOf('bad 777\n'), code: 'ERR_DAF_USER_CODE', message: 'it ended its process (3)' },
      { offset: text.indexOf('bad 778\n'), code: 'ERR_DAF_TIMEOUT' },
      { offset: text.indexOf('bad 1999\n'), code: 'ERR_DAF_USER_CODE', message: /Error: no$/ },
    ],
  );
});
