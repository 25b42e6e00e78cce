import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { addon } from '../../core/addon/index.js';
import { sharedData, temporaryDirectory, writeFiles } from '../../testing/engine-fixture.js';
import { defineJob } from '../jobs/define.js';
import { SHIPPED_JOBS } from '../jobs/shipped.js';
import { Cluster } from './cluster.js';
import { verifyOutput } from './verify.js';

const cluster = await Cluster.local({ workers: 2, heartbeatMs: 100, leaseMs: 2000 });

/** Parts of an output end to end. */
function parts(output: string): Buffer[] {
  const folder = output.startsWith('file:') ? fileURLToPath(output) : output;
  const names = readdirSync(folder).filter((name) => name.startsWith('part-'));
  return names.sort().map((name) => readFileSync(join(folder, name)));
}

function recordsOf(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

/** Records by their first bytes, equal ones in their order. */
function stableSort(records: readonly Buffer[], key: number): Buffer[] {
  return [...records].sort((a, b) => Buffer.compare(a.subarray(0, key), b.subarray(0, key)));
}

t.test('steps feed each other: maps of outputs, and a step that is given whole', async (t) => {
  const job = defineJob({
    name: 'share-of-words',
    steps: [
      {
        name: 'count',
        map: ({ value }, emit) => {
          for (const word of value.split(' ')) emit(word, '1');
        },
        reduce: (word, ones, emit) => emit(word, String([...ones].length)),
      },
      {
        name: 'total',
        from: ['count'],
        reducers: 1,
        map: ({ value }, emit) => emit('all', value),
        reduce: (key, counts, emit) => emit(key, String([...counts].reduce((sum, count) => sum + Number(count), 0))),
      },
      {
        name: 'share',
        from: ['count'],
        given: ['total'],
        async map({ key, value }, emit, context) {
          for await (const total of context.given('total')) emit(key, `${value}/${Buffer.from(total.value).toString()}`);
        },
      },
    ],
  });
  const items = ['a b a', 'c a b', 'a'];
  const done = await cluster.submit(job, { input: { items }, itemsPerSplit: 1, reducers: 2 });
  const result = await done.result();
  const found: [string, string][] = [];
  for await (const record of result.records()) found.push(record);
  t.same(found.sort(), [
    ['a', '4/7'],
    ['b', '2/7'],
    ['c', '1/7'],
  ]);
  const counted = { splits: 3, records: 3, mapped: 3, refused: 0 };
  t.match(result.manifest.inputs, counted, 'the input is counted once');
  t.same((await done.status()).map, { total: 3 + 2 + 2, running: 0, committed: 7, progress: 7 });
  t.equal((await verifyOutput(fileURLToPath(result.output))).problems.length, 0);
});

t.test('a secondary sort: keys that agree in their prefix are one group, its values in the order of whole keys', async (t) => {
  const job = defineJob({
    name: 'visits',
    groupPrefix: 3,
    // The place is that of the person alone, so that a group is whole in one part.
    partition: (key, reducers) => (key[2] as number) % reducers,
    map({ value }, emit) {
      const [person, day] = value.split(' ') as [string, string];
      emit(`${person}${day}`, day);
    },
    reduce: (key, days, emit) => emit(key.slice(0, 3), [...days].join(' ')),
  });
  const items: string[] = [];
  const expected: [string, string][] = [];
  for (let person = 100; person < 120; person++) {
    const days = Array.from({ length: 30 }, (_, i) => String((i * 7 + person) % 30).padStart(2, '0'));
    for (const day of days) items.push(`${person} ${day}`);
    expected.push([String(person), [...days].sort().join(' ')]);
  }
  items.sort((a, b) => (a.slice(4) < b.slice(4) ? 1 : -1)); // latest days first, people mixed
  const result = await (await cluster.submit(job, { input: { items }, itemsPerSplit: 50, reducers: 3 })).result();
  const found: [string, string][] = [];
  for await (const record of result.records()) found.push(record);
  t.same(found.sort(), expected);
});

t.test('a combiner changes nothing of a secondary sort', async (t) => {
  const visits = {
    name: 'combined-visits',
    groupPrefix: 1,
    partition: () => 0,
    map({ value }: { value: string }, emit: (key: string, value: string) => void) {
      emit(value, value.slice(1));
    },
    reduce(key: string, days: Iterable<string>, emit: (key: string, value: string) => void) {
      emit(key.slice(0, 1), [...days].join(' '));
    },
  };
  const plain = defineJob({ ...visits });
  const combined = defineJob({ ...visits, combine: (key, days, emit) => emit(key, [...days].join(' ')) });
  // Two maps, each with days of the same person that belong between those of the other.
  const items = ['a1', 'a1', 'b4', 'a3', 'a3', 'b4', 'a2', 'a2', 'b5', 'a4', 'a4', 'b3'];
  for (const job of [plain, combined]) {
    const result = await (await cluster.submit(job, { input: { items }, itemsPerSplit: 6, reducers: 1 })).result();
    const found: [string, string][] = [];
    for await (const record of result.records()) found.push(record);
    t.same(found, [
      ['a', '1 1 2 2 3 3 4 4'],
      ['b', '3 4 4 5'],
    ]);
  }
});

t.test('a step that asks for records it is not given fails loudly', async (t) => {
  const job = defineJob({
    name: 'not-given',
    async map(_, emit, context) {
      for await (const { key } of context.given('other')) emit(key, '');
    },
  });
  const handle = await cluster.submit(job, { input: { items: ['x'] }, maxAttempts: 1 });
  await t.rejects(handle.result(), { code: 'ERR_DAF_JOB_FAILED' });
});

t.test('outputs of a step that are lost are made again, and what they were made of', async (t) => {
  const folder = temporaryDirectory(t);
  const own = await Cluster.local({ workers: 2, heartbeatMs: 100, leaseMs: 2000, dataDir: join(folder, 'data') });
  t.teardown(() => own.close());
  const job = defineJob({
    name: 'loses',
    steps: [
      { name: 'one', map: ({ value }, emit) => emit(value, '1'), reduce: (key, values, emit) => emit(key, [...values].join('')) },
      {
        name: 'two',
        from: ['one'],
        async map({ key, value }, emit, context) {
          const { existsSync, readdirSync, rmSync, writeFileSync } = await import('node:fs');
          const { data, mark, go } = context.params as { data: string; mark: string; go: string };
          while (!existsSync(go)) await new Promise((resolve) => setTimeout(resolve, 5));
          if (!existsSync(mark)) {
            writeFileSync(mark, '');
            // Forced: what the step before has left goes by itself at the same time.
            for (const name of readdirSync(data, { recursive: true }) as string[])
              if (/\.(rec|seg)$/.test(name)) rmSync(`${data}/${name}`, { force: true });
            throw new Error('the disk is empty now');
          }
          emit(key, value);
        },
      },
    ],
  });
  const go = join(folder, 'go');
  const params = { data: join(folder, 'data', 'data'), mark: join(folder, 'mark'), go };
  const handle = await own.submit(job, { input: { items: ['a', 'b', 'a', 'c'] }, itemsPerSplit: 1, reducers: 2, params });
  const lost: string[] = [];
  for await (const event of handle.progress()) {
    if (event.kind === 'attempt-failed') lost.push(...event.lost.map(({ task }) => `${task.stage} ${task.step}`));
    // What happens before the first news of the job have arrived is not told.
    if (event.kind === 'progress' && event.status.map.committed > 0) writeFileSync(go, '');
  }
  const result = await handle.result();
  t.same((await result.text()).split('\n').sort().join(' ').trim(), 'a\t11 b\t1 c\t1');
  t.ok(lost.includes('reduce 0'), 'a map of the second step misses what a reduce of the first had left');
  t.ok(lost.includes('map 0'), 'which misses its maps, whose outputs had been dropped');
});

t.test('outputs of a step go when their readers have committed, long before the job ends', async (t) => {
  const folder = temporaryDirectory(t);
  const dataDir = join(folder, 'data');
  const own = await Cluster.local({ workers: 2, heartbeatMs: 100, leaseMs: 2000, dataDir });
  t.teardown(() => own.close());
  const job = defineJob({
    name: 'held-at-the-end',
    steps: [
      { name: 'one', map: ({ value }, emit) => emit(value, '1'), reduce: (key, values, emit) => emit(key, [...values].join('')) },
      { name: 'two', from: ['one'], map: ({ key, value }, emit) => emit(key, value) },
    ],
    async finalize({ params }) {
      const { existsSync } = await import('node:fs');
      while (!existsSync(String(params['go']))) await new Promise((resolve) => setTimeout(resolve, 5));
    },
  });
  const go = join(folder, 'go');
  const handle = await own.submit(job, { input: { items: ['a', 'b', 'a'] }, itemsPerSplit: 1, reducers: 2, params: { go } });
  const left = (): string[] =>
    readdirSync(join(dataDir, 'data'), { recursive: true })
      .map(String)
      .filter((name) => /\.(rec|seg)$/.test(name));
  while ((await handle.status()).finalize.running === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  for (let i = 0; i < 500 && left().length > 0; i++) await new Promise((resolve) => setTimeout(resolve, 20));
  t.same(left(), [], 'while the job still runs nothing of it lies with the workers');
  writeFileSync(go, '');
  t.same((await (await handle.result()).text()).split('\n').sort().join(' ').trim(), 'a\t11 b\t1');
});

t.test('sort: lines, by all of them and by a prefix, in total order over the parts', async (t) => {
  const folder = temporaryDirectory(t);
  const lines = Array.from({ length: 3000 }, (_, i) => `${(i * 7919) % 1000} line ${i}`);
  writeFiles(folder, { 'a.txt': `${lines.slice(0, 1000).join('\n')}\n`, 'b.txt': lines.slice(1000).join('\n') });
  const input = [join(folder, 'a.txt'), join(folder, 'b.txt')];
  const sorted = await cluster.submit(SHIPPED_JOBS['sort']!, {
    input,
    reducers: 4,
    splitSize: 5000,
    output: join(folder, 'all'),
  });
  await sorted.result();
  const bytewise = stableSort(
    lines.map((line) => Buffer.from(line)),
    1000,
  ).map((line) => `${line}\n`);
  t.equal(Buffer.concat(parts(join(folder, 'all'))).toString(), bytewise.join(''));
  const byPrefix = await cluster.submit(SHIPPED_JOBS['sort']!, {
    input,
    reducers: 3,
    splitSize: 5000,
    params: { key: 2 },
    output: join(folder, 'prefix'),
  });
  await byPrefix.result();
  const stable = stableSort(
    lines.map((line) => Buffer.from(line)),
    2,
  ).map((line) => `${line}\n`);
  t.equal(Buffer.concat(parts(join(folder, 'prefix'))).toString(), stable.join(''), 'equal prefixes keep the order of the input');
});

t.test('sort: equal keys span parts', async (t) => {
  const folder = temporaryDirectory(t);
  const records = Array.from({ length: 20_000 }, (_, i) => Buffer.from(`same-key${String(i).padStart(8, '0')}`));
  writeFiles(folder, { in: Buffer.concat(records) });
  const job = await cluster.submit(SHIPPED_JOBS['sort']!, {
    input: join(folder, 'in'),
    output: join(folder, 'out'),
    reducers: 4,
    splitSize: 64 << 10,
    params: { record: 16, key: 8 },
  });
  await job.result();
  const found = parts(join(folder, 'out'));
  t.equal(Buffer.compare(Buffer.concat(found), Buffer.concat(records)), 0, 'in the order of the input');
  for (const part of found) t.ok(part.length > 16 * 20_000 * 0.15, `one key over all parts: ${part.length} bytes`);
});

t.test('sort: nothing, one record, a length that is no multiple', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { none: '', one: 'x'.repeat(100), odd: 'x'.repeat(150) });
  const sort = (name: string) =>
    cluster.submit(SHIPPED_JOBS['sort']!, {
      input: join(folder, name),
      output: join(folder, `${name}.out`),
      reducers: 3,
      params: { record: 100, key: 10 },
      maxAttempts: 1,
    });
  for (const name of ['none', 'one']) {
    await (await sort(name)).result();
    const bytes = Buffer.concat(parts(join(folder, `${name}.out`)));
    t.equal(bytes.toString(), readFileSync(join(folder, name), 'utf8'));
  }
  await t.rejects((await sort('odd')).result(), { code: 'ERR_DAF_JOB_FAILED' });
  await t.rejects(
    cluster.submit(SHIPPED_JOBS['sort']!, { input: join(folder, 'one'), params: { records: 10 } }),
    { code: 'ERR_DAF_BAD_OPTION', hint: /record/ },
    'a misspelt parameter would sort lines',
  );
  await t.rejects(cluster.submit(SHIPPED_JOBS['sort']!, { input: join(folder, 'one'), params: { record: 10, key: 20 } }), {
    code: 'ERR_DAF_BAD_OPTION',
  });
});

t.test('sort of random records gives the same manifest on any split of the work', async (t) => {
  const folder = temporaryDirectory(t);
  const bytes = Buffer.alloc(100 * 5000);
  let state = 7;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = i % 100 < 2 ? (state >>> 24) % 4 : state >>> 24;
  }
  writeFileSync(join(folder, 'in'), bytes);
  const crcs: string[] = [];
  for (const reducers of [1, 3]) {
    const output = join(folder, `out-${reducers}`);
    const params = { record: 100, key: 10 };
    const job = await cluster.submit(SHIPPED_JOBS['sort']!, {
      input: join(folder, 'in'),
      output,
      reducers,
      splitSize: 70_000,
      params,
    });
    const { manifest } = await job.result();
    t.equal(manifest.inputs.records, 5000);
    const all = Buffer.concat(parts(output));
    t.same(recordsOf(all, 100), stableSort(recordsOf(bytes, 100), 10));
    crcs.push(String(addon().crc32c(0, all)));
  }
  t.equal(crcs[0], crcs[1]);
});

const data = sharedData();
t.test('gensort records: order, duplicates, count and checksum', { skip: data === null && 'no shared data here' }, async (t) => {
  const folder = temporaryDirectory(t);
  for (const [name, sum] of [
    ['gensort_bin20k.dat', '271f1b056e54'],
    ['gensort_asc20k.dat', '2715a7637eee'],
  ] as const) {
    const input = join(data!, 'records', name);
    const output = join(folder, name);
    const params = { record: 100, key: 10 };
    const job = await cluster.submit(SHIPPED_JOBS['sort']!, { input, output, reducers: 4, splitSize: 300_000, params });
    const { manifest } = await job.result();
    const sorted = recordsOf(Buffer.concat(parts(output)), 100);
    t.equal(sorted.length, 20_000);
    t.equal(
      manifest.outputs.reduce((total, { records }) => total + (records ?? 0), 0),
      20_000,
    );
    const reference = stableSort(recordsOf(readFileSync(input), 100), 10);
    t.ok(
      sorted.every((record, i) => record.equals(reference[i]!)),
      `${name}: as a stable sort, duplicates included`,
    );
    const total = sorted.reduce((checksum, record) => checksum + BigInt(crc32(record)), 0n);
    t.equal(total.toString(16), sum, "the sum of the records' checksums");
    const sizes = parts(output).map((part) => part.length);
    t.ok(Math.min(...sizes) > 0.15 * 2_000_000, `parts of about equal size: ${sizes}`);
  }
});

t.test('the cluster ends', () => cluster.close());

/** CRC-32 as in gzip, which the sort benchmark sums. */
function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
