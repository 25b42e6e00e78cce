import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { nativeFile } from '../../core/addon/index.js';
import type { DafError } from '../../core/contracts/errors.js';
import wordcount from '../jobs/wordcount.js';
import { Cluster } from './cluster.js';

const WORDCOUNT = nativeFile('plugins/wordcount.so');
const MISBEHAVE = nativeFile('plugins/misbehave.so');

t.test('plugins on a cluster of two workers', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'daf-plugin-cluster-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const inputs = [0, 1, 2].map((n) => {
    const path = join(folder, `input-${n}.txt`);
    writeFileSync(
      path,
      Array.from({ length: 3000 }, (_, i) => `the ${i % 7 === 0 ? "don't" : 'word'}${n}x${i % 311}\n`).join(''),
    );
    return path;
  });
  const cluster = await Cluster.local({ workers: 2, memory: '512MB' });
  try {
    await t.test('the C word count writes the bytes of the shipped one, in a child and trusted', async (t) => {
      const options = { input: inputs, reducers: 3, splitSize: 20_000 };
      const expected = await (await cluster.submit(wordcount, options)).result();
      for (const trusted of [false, true]) {
        const found = await (await cluster.submit(WORDCOUNT, { ...options, trusted })).result();
        const parts = expected.manifest.outputs.filter(({ name }) => name.startsWith('part-'));
        t.equal(parts.length, 3);
        for (const { name } of parts) {
          t.ok(
            Buffer.from(await found.read(name)).equals(Buffer.from(await expected.read(name))),
            `${name}, trusted: ${trusted}`,
          );
        }
      }
    });

    await t.test('a segfault costs one attempt', async (t) => {
      const input = join(folder, 'once.txt');
      writeFileSync(input, 'before\nsegfault-once\nafter\n');
      const job = await cluster.submit(MISBEHAVE, { input, reducers: 1, params: { marker: join(folder, 'marker') } });
      const result = await job.result();
      t.equal((await job.status()).failedAttempts, 1);
      const records: string[] = [];
      for await (const [key] of result.records()) records.push(key);
      t.same(records, ['after', 'before', 'segfault-once']);
      t.equal(result.counters['lines'], 3, 'the failed attempt counts nothing');
    });

    await t.test('one that always does fails the job, loudly', async (t) => {
      const input = join(folder, 'always.txt');
      writeFileSync(input, 'segfault\n');
      const job = await cluster.submit(MISBEHAVE, { input, reducers: 1, maxAttempts: 2 });
      const error = await job.result().then(
        () => t.fail('it should have failed'),
        (thrown: DafError) => thrown,
      );
      const causes: string[] = [];
      for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
        causes.push(`${(cause as DafError).code} ${cause.message}`);
      t.match(causes.join('\n'), /ERR_DAF_PLUGIN.*SIGSEGV/);
    });

    await t.test('a plugin of another ABI is refused at submit', async (t) => {
      const submitted = cluster.submit(nativeFile('plugins/other_abi.so'), { input: inputs, reducers: 1 });
      await t.rejects(submitted, { code: 'ERR_DAF_PLUGIN' });
    });
  } finally {
    await cluster.close();
  }
});

t.test('a host that dies or fails at one of its fail points costs one attempt', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'daf-plugin-faults-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const input = join(folder, 'words.txt');
  writeFileSync(input, 'to be or not to be\n'.repeat(500));
  const options = { input, reducers: 1, splitSize: 4000 };
  const part = async (env: Record<string, string>): Promise<{ bytes: Buffer; failed: number }> => {
    await using cluster = await Cluster.local({ workers: 2, env });
    const job = await cluster.submit(WORDCOUNT, options);
    const result = await job.result();
    return { bytes: Buffer.from(await result.read('part-r-00000')), failed: (await job.status()).failedAttempts };
  };
  const wanted = await part({});
  t.equal(wanted.failed, 0);
  for (const point of ['host.load:1:kill', 'host.run:2:error', 'host.done:2:kill']) {
    const once = join(folder, point);
    const found = await part({ DAF_FAILPOINT: point, DAF_FAILPOINT_ONCE: once });
    t.ok(existsSync(once), `${point} was passed`);
    t.ok(found.bytes.equals(wanted.bytes), `${point}: the same bytes`);
    t.equal(found.failed, 1, point);
  }
});
