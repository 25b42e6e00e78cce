import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { DafError } from '../../core/contracts/errors.js';
import { isRunning, sortedLines, temporaryDirectory, writeFiles } from '../../testing/engine-fixture.js';
import { defineJob } from '../jobs/define.js';
import { SHIPPED_JOBS } from '../jobs/shipped.js';
import { Cluster } from './cluster.js';
import { verifyOutput } from './verify.js';

const code = (wanted: string) => (error: unknown) => DafError.is(error) && error.code === wanted;
const rejectsWith = async (t: Pick<Test, 'ok'>, promise: Promise<unknown>, wanted: string): Promise<DafError> => {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  t.ok(code(wanted)(error), `${wanted}: ${error}`);
  return error as DafError;
};

t.test('one cluster, many jobs', async (t) => {
  const cluster = await Cluster.local({ workers: 2, heartbeatMs: 100, leaseMs: 2000 });
  t.teardown(() => cluster.close());

  t.test('values in memory, from an async iterable, split by count', async (t) => {
    async function* items(): AsyncGenerator<string> {
      for (let i = 0; i < 1000; i++) yield `w${i % 10} w${i % 3}`;
    }
    const words = defineJob({
      name: 'inline-words',
      map({ value, source }, emit, context) {
        context.counters.add('items');
        context.counters.add(source);
        for (const word of value.split(' ')) emit(word, '1');
      },
      combine(word, ones, emit) {
        let n = 0;
        for (const one of ones) n += Number(one);
        emit(word, String(n));
      },
      reduce: (word, ones, emit) => emit(word, String([...ones].reduce((a, b) => a + Number(b), 0))),
    });
    const job = await cluster.submit(words, { input: { items: items() }, itemsPerSplit: 64 });
    const result = await job.result();
    t.same(Object.fromEntries(await collect(result.records())), {
      w0: '434',
      w1: '433',
      w2: '433',
      ...Object.fromEntries([3, 4, 5, 6, 7, 8, 9].map((i) => [`w${i}`, '100'])),
    });
    t.same(result.counters, { items: 1000, memory: 1000 });
    t.equal(result.manifest.inputs.splits, Math.ceil(1000 / 64));
    t.equal((await verifyOutput(fileURLToPath(result.output))).problems.length, 0);

    const later = await cluster.job(job.id);
    t.equal((await later.result()).output, result.output, 'who asks for it after its end has it at once');
    const phases: string[] = [];
    for await (const event of later.progress()) phases.push(event.kind);
    t.same(phases, ['ended'], 'and sees that it has ended');
  });

  t.test('a job plans its own tasks from the names of its inputs', async (t) => {
    const folder = temporaryDirectory(t);
    writeFiles(folder, { 'a.txt': 'never read', 'b.txt': '', 'c.dat': '' });
    const planned = defineJob({
      name: 'planned',
      *plan(inputs, params) {
        for (const { name, path } of inputs) {
          for (let part = 0; part < Number(params['parts']); part++) yield { key: name, value: `${path} ${part}` };
        }
      },
      map({ key, value }, emit, context) {
        emit(key, `${value} ${context.index}`);
      },
    });
    const input = ['*.txt', './'];
    const job = await cluster.submit(planned, { input, cwd: folder, params: { parts: 2 }, output: join(folder, 'out') });
    const result = await job.result();
    t.same(await collect(result.records()), [
      ['a.txt', `${folder}/a.txt 0 0`],
      ['a.txt', `${folder}/a.txt 1 1`],
      ['b.txt', `${folder}/b.txt 0 2`],
      ['b.txt', `${folder}/b.txt 1 3`],
      ['./', `${folder} 0 4`],
      ['./', `${folder} 1 5`],
    ]);
    t.equal(result.manifest.inputs.splits, 6, 'every planned record is a task');
    await rejectsWith(t, cluster.submit(planned, { input: 'none.txt', cwd: folder }), 'ERR_DAF_NO_INPUT');
  });

  t.test('odd bytes pass unchanged: NUL, newline, invalid UTF-8, empty, equal prefixes, long', async (t) => {
    const long = Buffer.alloc(1 << 20, 0x61);
    const keys = ['', '\0', '\0\0', 'a', 'a\0', 'a\n', '\n', 'ab'].map((key) => Buffer.from(key, 'latin1'));
    keys.push(Buffer.from([0xff, 0xfe, 0x80]), Buffer.from([0xc3]), long);
    const echo = defineJob({
      name: 'echo',
      text: false,
      output: { kind: 'packed' },
      map({ key, value }, emit) {
        emit(key, value);
        emit(key, new Uint8Array(0));
      },
      reduce(key, values, emit) {
        for (const value of values) emit(key, value);
      },
    });
    const items = keys.map((key, i) => ({ key, value: i === 3 ? Buffer.alloc(3 << 20, 7) : Buffer.from([i, 0, 10]) }));
    const job = await cluster.submit(echo, { input: { items }, itemsPerSplit: 2, reducers: 3 });
    const result = await job.result();
    const seen = new Map<string, Buffer[]>();
    for await (const { key, value } of result.packed()) {
      const name = Buffer.from(key).toString('latin1');
      seen.set(name, [...(seen.get(name) ?? []), Buffer.from(value)]);
    }
    t.equal(seen.size, keys.length);
    for (const { key, value } of items) {
      const values = seen.get(key.toString('latin1')) ?? [];
      t.ok(values.length === 2 && values[0]!.equals(value) && values[1]!.length === 0, `key of ${key.length} bytes`);
    }
    t.equal((await verifyOutput(fileURLToPath(result.output))).problems.length, 0);
  });

  t.test('an exception in user code fails the job loudly, with cause and place', async (t) => {
    const folder = temporaryDirectory(t);
    writeFiles(folder, { 'in.txt': 'good\nbad\ngood\n' });
    const job = await cluster.submit(
      defineJob({
        name: 'throws',
        map({ value }, emit) {
          if (value === 'bad') throw new RangeError('cannot use this line');
          emit(value, '');
        },
      }),
      { input: join(folder, 'in.txt'), output: join(folder, 'out') },
    );
    const error = await rejectsWith(t, job.result(), 'ERR_DAF_JOB_FAILED');
    let cause: unknown = error;
    while (DafError.is(cause) && cause.code !== 'ERR_DAF_USER_CODE') cause = cause.cause;
    t.ok(code('ERR_DAF_USER_CODE')(cause), 'the cause is kept');
    t.match((cause as Error).message, /in\.txt at byte 5: RangeError: cannot use this line/);
    t.notOk(existsSync(join(folder, 'out/manifest.json')));
  });

  t.test('cancel stops running tasks and leaves no results', async (t) => {
    const folder = temporaryDirectory(t);
    const job = await cluster.submit(
      defineJob({
        name: 'endless',
        async map(_, __, context) {
          for (;;) {
            context.checkCancelled();
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        },
      }),
      { input: { items: ['x'] }, output: join(folder, 'out') },
    );
    for await (const { kind, ...rest } of job.progress())
      if (kind === 'progress' && 'status' in rest && rest.status.map.running > 0) break;
    await job.cancel();
    await rejectsWith(t, job.result(), 'ERR_DAF_CANCELLED');
    t.equal((await job.status()).phase, 'cancelled');
    // The threads are free again, and the temporary files go.
    const next = await cluster.submit(SHIPPED_JOBS['wordcount']!, { input: { items: ['after all', 'after'] } });
    t.equal(await sortedLines(await next.result()), 'after\t2\nall\t1\n');
    for (let i = 0; i < 50 && existsSync(join(folder, 'out/_daf')); i++) await new Promise((resolve) => setTimeout(resolve, 50));
    t.notOk(existsSync(join(folder, 'out/_daf')));
  });

  t.test('no records, one record, more workers and reducers than records; map-only; raw', async (t) => {
    const wordcount = SHIPPED_JOBS['wordcount']!;
    const folder = temporaryDirectory(t);
    writeFiles(folder, { 'empty.txt': '' });
    const none = await (await cluster.submit(wordcount, { input: join(folder, 'empty.txt') })).result();
    t.equal(none.manifest.inputs.records, 0);
    t.equal(await none.text(), '');
    const noItems = await (await cluster.submit(wordcount, { input: { items: [] }, reducers: 2 })).result();
    t.same(
      noItems.manifest.outputs.map(({ name, bytes }) => [name, bytes]),
      [
        ['part-r-00000', 0],
        ['part-r-00001', 0],
        ['report.json', null],
      ],
    );
    const one = await (await cluster.submit(wordcount, { input: { items: ['single'] }, reducers: 7 })).result();
    t.equal(await one.text(), 'single\t1\n');
    const upper = defineJob({
      name: 'upper',
      output: { kind: 'raw' },
      map: ({ value }, emit) => emit('', `${value.toUpperCase()}!`),
    });
    const raw = await (await cluster.submit(upper, { input: { items: ['a', 'b', 'c'] }, itemsPerSplit: 2 })).result();
    t.same(
      raw.manifest.outputs.filter(({ records }) => records !== null).map(({ name, bytes, records }) => [name, bytes, records]),
      [
        ['part-m-00000', 4, 2],
        ['part-m-00001', 2, 1],
      ],
    );
    t.equal(Buffer.from(await raw.read('part-m-00000')).toString(), 'A!B!');
  });

  t.test('an own partitioner, files of a task, finalize, whole files, refused inputs', async (t) => {
    const folder = temporaryDirectory(t);
    writeFiles(folder, { 'b.bin': 'bb', 'a.bin': 'a\0\n' });
    const job = defineJob({
      name: 'files',
      input: { kind: 'files' },
      async map({ key, value }, emit, context) {
        if (key.endsWith('b.bin')) context.refuse(key, Object.assign(new Error('not wanted'), { code: 'ERR_DAF_BAD_DATA' }));
        await context.files.put(`copies/${key.split('/').pop()}`, value);
        emit(key.endsWith('a.bin') ? 'a' : 'b', String(value.length));
      },
      reduce(key, values, emit) {
        for (const value of values) emit(key, value);
      },
      partition: (key, reducers) => (key[0] === 97 ? 0 : reducers - 1),
      async finalize(context) {
        const names = context.outputs.map(({ name }) => name);
        const copy = await context.read('copies/b.bin');
        await context.files.put(
          'index.txt',
          `${names.join(' ')} ${copy.length} ${context.refusals.length} ${context.usage.length > 0}`,
        );
      },
    });
    const result = await (await cluster.submit(job, { input: `${folder}/*.bin`, reducers: 3, filesPerSplit: 1 })).result();
    t.same(
      result.manifest.outputs.map(({ name, bytes }) => `${name} ${bytes}`),
      [
        'copies/a.bin 3',
        'copies/b.bin 2',
        'index.txt 73',
        'part-r-00000 4',
        'part-r-00001 0',
        'part-r-00002 4',
        'report.json null',
      ],
    );
    t.equal(
      Buffer.from(await result.read('index.txt')).toString(),
      'copies/a.bin copies/b.bin part-r-00000 part-r-00001 part-r-00002 2 1 true',
    );
    t.match(result.refused, [{ input: `${folder}/b.bin`, code: 'ERR_DAF_BAD_DATA', refused: true }]);
  });

  t.test('an output with results is refused unless it is to be replaced', async (t) => {
    const folder = temporaryDirectory(t);
    const output = join(folder, 'out');
    const wordcount = SHIPPED_JOBS['wordcount']!;
    await (await cluster.submit(wordcount, { input: { items: ['one two'] }, output, reducers: 4 })).result();
    await rejectsWith(t, cluster.submit(wordcount, { input: { items: ['x'] }, output }), 'ERR_DAF_OUTPUT_EXISTS');
    writeFileSync(join(output, 'mine.txt'), 'not the job’s');
    const kept = readdirSync(join(output, '_replay'));
    const again = await (
      await cluster.submit(wordcount, { input: { items: ['x'] }, output, overwrite: true, reducers: 1 })
    ).result();
    t.equal(await again.text(), 'x\t1\n');
    t.notMatch(readdirSync(join(output, '_replay')), kept, 'what the earlier job kept for replays is gone');
    t.same(
      readdirSync(output)
        .filter((name) => name !== '_daf')
        .sort(),
      ['_replay', 'manifest.json', 'mine.txt', 'part-r-00000', 'report.json'],
    );
  });

  t.test('a damaged part is found', async (t) => {
    const folder = temporaryDirectory(t);
    const output = join(folder, 'out');
    const result = await (
      await cluster.submit(SHIPPED_JOBS['wordcount']!, { input: { items: ['one two'] }, output, reducers: 1 })
    ).result();
    writeFileSync(join(output, 'part-r-00000'), 'one\t1\ntwo\t2\n');
    const { problems } = await verifyOutput(output);
    t.match(problems, [{ name: 'part-r-00000', problem: /checksum/ }]);
    await rejectsWith(t, result.text(), 'ERR_DAF_VERIFY');
    t.equal(statSync(join(output, 'part-r-00000')).size, 12);
  });

  t.test('mistakes are named', async (t) => {
    const wordcount = SHIPPED_JOBS['wordcount']!;
    await rejectsWith(t, cluster.submit(wordcount, { input: '/nowhere/*.txt' }), 'ERR_DAF_NO_INPUT');
    await rejectsWith(t, cluster.submit(wordcount, { input: 'x', reducer: 3 } as never), 'ERR_DAF_BAD_OPTION');
    await rejectsWith(t, cluster.submit('/nowhere/job.ts', { input: 'x' }), 'ERR_DAF_NOT_FOUND');
    const limit = 3;
    const captures = defineJob({
      name: 'captures',
      map: ({ value }, emit) => (value.length > limit ? emit(value, '') : undefined),
    });
    const error = await rejectsWith(t, cluster.submit(captures, { input: { items: ['x'] } }), 'ERR_DAF_INLINE_CAPTURE');
    t.match(error.message, /map uses "limit"/);
  });

  t.test('a job module may not submit inside a worker', async (t) => {
    const folder = temporaryDirectory(t);
    writeFiles(folder, {
      'job.ts': `import { Cluster, defineJob, isMain } from 'daf';
        export default defineJob({ name: 'sneaky', async map(_, emit) { emit(String(isMain(import.meta)), ''); await Cluster.local({ workers: 1 }); } });`,
    });
    const job = await cluster.submit(join(folder, 'job.ts'), { input: { items: ['x'] }, maxAttempts: 1 });
    const error = await rejectsWith(t, job.result(), 'ERR_DAF_JOB_FAILED');
    let cause: unknown = error;
    while (DafError.is(cause) && cause.code !== 'ERR_DAF_IN_WORKER') cause = cause.cause;
    t.ok(code('ERR_DAF_IN_WORKER')(cause), String(error));
  });
});

t.test('code that ends its thread, fills its heap or never returns costs its own job only', async (t) => {
  await using cluster = await Cluster.local({ workers: 1, memory: '128MB' });
  const run = async (name: string, map: () => unknown): Promise<unknown> => {
    const job = await cluster.submit(defineJob({ name, map: map as () => void }), { input: { items: ['x'] }, maxAttempts: 1 });
    let error: unknown = await job.result().catch((reason: unknown) => reason);
    while (DafError.is(error) && (error.code === 'ERR_DAF_JOB_FAILED' || error.code === 'ERR_DAF_TASK_FAILED'))
      error = error.cause;
    return error;
  };
  t.match(await run('exits', () => process.exit(3)), { code: 'ERR_DAF_USER_CODE', message: /code: 3/ });
  const forgotten = async (): Promise<void> => {
    void Promise.reject(new Error('nobody waits'));
    await new Promise((resolve) => setTimeout(resolve, 100));
  };
  t.match(await run('rejects', forgotten), { code: 'ERR_DAF_USER_CODE', message: /nobody waits/ });
  const hoard = (): void => {
    const all: unknown[] = [];
    for (;;) all.push(new Array(10_000).fill(all.length));
  };
  t.match(await run('hoards', hoard), { code: 'ERR_DAF_MEMORY_LIMIT' });
  const spin = defineJob({
    name: 'spins',
    map() {
      for (;;);
    },
  });
  const job = await cluster.submit(spin, { input: { items: ['x'] } });
  for await (const event of job.progress()) if (event.kind === 'progress' && event.status.map.running > 0) break;
  await job.cancel();
  await rejectsWith(t, job.result(), 'ERR_DAF_CANCELLED');
  const after = await cluster.submit(SHIPPED_JOBS['wordcount']!, { input: { items: ['still here'] } });
  t.equal(await sortedLines(await after.result()), 'here\t1\nstill\t1\n');
  t.ok(
    (await cluster.workers()).every(({ peakBytes }) => peakBytes < 128 * 2 ** 20),
    'within the budget',
  );
});

t.test('start and stop leave no process behind', async (t) => {
  const pids: number[] = [];
  for (let i = 0; i < 3; i++) {
    const cluster = await Cluster.local({ workers: 2 });
    pids.push(...(await cluster.workers()).map(({ pid }) => pid));
    await cluster.close();
  }
  t.equal(pids.length, 6);
  t.same(pids.filter(isRunning), []);
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
