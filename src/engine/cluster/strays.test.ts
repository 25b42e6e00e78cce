import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DafError } from '../../core/contracts/errors.js';
import { sortedLines, temporaryDirectory } from '../../testing/engine-fixture.js';
import { defineJob } from '../jobs/define.js';
import { Cluster } from './cluster.js';

// What jobs' code does once its task has ended, in promises that nobody awaited.

const one = { workers: 1, threads: 1, heartbeatMs: 100, leaseMs: 2000 };

/**
 * Each item says what its map leaves behind, and after how many milliseconds that comes, or once which file is there; "wait" is a map that takes as
 * long.
 */
const loose = defineJob({
  name: 'loose',
  map({ value }, emit, context) {
    const [what, when] = value.split(' ');
    const later = (act: () => void): void => void setTimeout(act, Number(when));
    const once = async (file: string, act: () => void): Promise<void> => {
      const { existsSync } = await import('node:fs');
      while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 20));
      act();
    };
    emit(value, 'seen');
    switch (what) {
      case 'wait':
        return new Promise<void>((resolve) => setTimeout(resolve, Number(when)));
      case 'emit':
        return later(() => emit('late', value));
      case 'emit-once':
        return void once(when!, () => emit('late', value));
      case 'count':
        return later(() => context.counters.add('late'));
      case 'put':
        return later(() => void context.files.put('late.txt', value));
      case 'throw':
        return later(() => {
          throw new Error(`left behind: ${value}`);
        });
      case 'reject':
        return later(() => void Promise.reject('no error at all'));
    }
    return undefined;
  },
  reduce(key, values, emit) {
    emit(key, String([...values].length));
  },
});

function codes(error: unknown): string[] {
  const all: string[] = [];
  for (let at: unknown = error; DafError.is(at); at = at.cause) all.push(at.code, at.message);
  return all;
}

t.test('a job fails where its code emits, counts or puts a file after its task has ended', async (t) => {
  const folder = temporaryDirectory(t);
  await using cluster = await Cluster.local(one);
  for (const what of ['emit', 'count', 'put']) {
    const output = join(folder, what);
    // The first task's leavings come while the second one runs, and must not hurt it.
    const job = await cluster.submit(loose, { input: { items: [`${what} 50`, 'wait 1500'] }, itemsPerSplit: 1, output });
    let failures = 0;
    for await (const event of job.progress()) if (event.kind === 'attempt-failed') failures += 1;
    const error = await job.result().then(
      () => null,
      (reason: unknown) => reason,
    );
    t.match(codes(error).join('\n'), /ERR_DAF_USER_CODE[\s\S]*after its task had ended/, what);
    t.equal(failures, 0, `${what}: no attempt is blamed`);
    t.notOk(existsSync(join(output, 'manifest.json')), `${what}: nothing is published`);
  }
});

t.test('a late record counts against its job also when the coordinator is killed while it publishes', async (t) => {
  const folder = temporaryDirectory(t);
  const once = join(folder, 'once');
  await using cluster = await Cluster.local({
    ...one,
    env: { DAF_FAILPOINT: 'coordinator.before-manifest:1:kill', DAF_FAILPOINT_ONCE: once },
  });
  const output = join(folder, 'out');
  // It comes when nobody coordinates, and must be told before the next coordinator publishes.
  const job = await cluster.submit(loose, { input: { items: [`emit-once ${once}`] }, output });
  const error = await job.result().then(
    () => null,
    (reason: unknown) => reason,
  );
  t.match(codes(error).join('\n'), /ERR_DAF_USER_CODE[\s\S]*after its task had ended/);
  t.notOk(existsSync(join(output, 'manifest.json')), 'nothing is published');
  t.ok(existsSync(once), 'the coordinator was killed');
});

t.test('what comes after a job was published is logged and counted, and hurts no other job', async (t) => {
  const folder = temporaryDirectory(t);
  const dataDir = join(folder, 'cluster');
  await using cluster = await Cluster.local({ ...one, dataDir });
  const first = await cluster.submit(loose, { input: { items: ['emit 700', 'throw 800'] }, output: join(folder, 'first') });
  await first.result();
  const second = await cluster.submit(loose, { input: { items: ['wait 1500'] }, output: join(folder, 'second'), maxAttempts: 1 });
  let failures = 0;
  for await (const event of second.progress()) if (event.kind === 'attempt-failed') failures += 1;
  t.equal(await sortedLines(await second.result()), 'wait 1500\t1\n');
  t.equal(failures, 0);
  const logs = readdirSync(join(dataDir, 'logs')).map((name) => readFileSync(join(dataDir, 'logs', name), 'utf8'));
  const said = logs
    .join('')
    .split('\n')
    .filter((line) => line.includes('has failed since'));
  const seen = said.map((line) => JSON.parse(line) as { level: string; job: string; count: number; code: string });
  t.same(seen.map(({ level, job, code }) => `${level} ${job} ${code}`).sort(), [
    `error ${first.id} ERR_DAF_USER_CODE`,
    `error ${first.id} ERR_DAF_USER_CODE`,
  ]);
  t.same(
    seen.map(({ count }) => count),
    [1, 2],
  );
});

t.test(
  'an error that nobody caught fails the attempt that runs where it is of the same job, and the job where none runs',
  async (t) => {
    const folder = temporaryDirectory(t);
    await using cluster = await Cluster.local(one);
    const during = await cluster.submit(loose, {
      input: { items: ['throw 50', 'wait 500'] },
      output: join(folder, 'during'),
      maxAttempts: 1,
      reducers: 1,
    });
    await t.rejects(during.result(), { code: 'ERR_DAF_JOB_FAILED' });
    const two = await Cluster.local({ ...one, workers: 2 });
    t.teardown(() => two.close());
    const other = await two.submit(loose, {
      input: { items: ['throw 50', 'wait 3000'] },
      itemsPerSplit: 1,
      output: join(folder, 'other'),
    });
    const error = await other.result().then(
      () => null,
      (reason: unknown) => reason,
    );
    t.match(codes(error).join('\n'), /outside its tasks[\s\S]*left behind: throw 50/);
  },
);

t.test('an error that does not say whose it is costs the task that runs no attempt', async (t) => {
  const folder = temporaryDirectory(t);
  await using cluster = await Cluster.local(one);
  const first = await cluster.submit(loose, { input: { items: ['reject 700'] }, output: join(folder, 'first') });
  await first.result();
  const second = await cluster.submit(loose, { input: { items: ['wait 1500'] }, output: join(folder, 'second'), maxAttempts: 1 });
  const failed: string[] = [];
  for await (const event of second.progress()) if (event.kind === 'attempt-failed') failed.push(event.error.code);
  t.equal(await sortedLines(await second.result()), 'wait 1500\t1\n');
  t.same(failed, ['ERR_DAF_WORKER_LOST']);
});
