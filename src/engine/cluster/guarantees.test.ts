import { randomFillSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { mergeBytes, workerMemoryFor } from '../../core/memory-plan.js';
import { manifestBytes, sampleText, temporaryDirectory, writeFiles } from '../../testing/engine-fixture.js';
import { defineJob } from '../jobs/define.js';
import { SHIPPED_JOBS } from '../jobs/shipped.js';
import { Cluster } from './cluster.js';

const quick = { workers: 2, heartbeatMs: 100, leaseMs: 1500 };

t.test('a total order is cut alike however often its tasks are tried', { timeout: 180_000 }, async (t) => {
  const folder = temporaryDirectory(t);
  const input = join(folder, 'in');
  const records = randomFillSync(Buffer.alloc(100 * 3000));
  for (let i = 0; i < records.length; i += 100) records[i] = records[i]! % 3; // few keys, which span parts
  writeFileSync(input, records);
  const options = { input, reducers: 4, splitSize: 40_000, params: { record: 100, key: 1 } };
  const sort = async (name: string, env: Readonly<Record<string, string>>): Promise<string> => {
    await using cluster = await Cluster.local({ ...quick, env });
    return manifestBytes(
      await (await cluster.submit(SHIPPED_JOBS['sort']!, { ...options, output: join(folder, name) })).result(),
    );
  };
  const wanted = await sort('undisturbed', {});
  // Processes count for themselves: however two workers share these tasks, one of them has as many.
  const points = ['task.map-done:2', 'task.map-done:4', 'task.reduce-done:1', 'task.reduce-done:3', 'coordinator.after-commit:5'];
  for (const point of points) {
    const once = join(folder, `once-${point}`);
    const manifest = await sort(`out-${point}`, { DAF_FAILPOINT: `${point}:kill`, DAF_FAILPOINT_ONCE: once });
    t.ok(existsSync(once), `${point} was passed`);
    t.equal(manifest, wanted, point);
  }
});

t.test('the report tells of each task what was reserved for it and what its process took at most', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'in.txt': sampleText(500, 3) });
  await using cluster = await Cluster.local(quick);
  const input = join(folder, 'in.txt');
  const job = await cluster.submit(SHIPPED_JOBS['wordcount']!, {
    input,
    output: join(folder, 'out'),
    reducers: 2,
    splitSize: 4000,
  });
  const { tasks } = (await (await job.result()).report()) as {
    readonly tasks: readonly { readonly task: string; readonly reservedBytes: number; readonly processPeakBytes: number }[];
  };
  const map = tasks.find(({ task }) => task === 'map-0');
  const reduce = tasks.find(({ task }) => task === 'reduce-1');
  t.ok(map !== undefined && reduce !== undefined && map.reservedBytes > reduce.reservedBytes, 'a map has a sort buffer beside');
  const outside = tasks.filter(
    ({ reservedBytes, processPeakBytes }) =>
      reservedBytes < 1 << 20 || processPeakBytes < 20 * 2 ** 20 || processPeakBytes > 512 * 2 ** 20,
  );
  t.same(outside, []);
});

/** Notes when its tasks begin and end. */
const spans = defineJob({
  name: 'spans',
  async map({ value }, emit, { params }) {
    const { appendFileSync } = await import('node:fs');
    appendFileSync(String(params['log']), 'begin\n');
    await new Promise((resolve) => setTimeout(resolve, 200));
    appendFileSync(String(params['log']), 'end\n');
    emit(value, '1');
  },
  reduce(key, ones, emit) {
    emit(key, String([...ones].length));
  },
});

t.test('a task that does not fit beside another begins when that has ended, though a thread is free', async (t) => {
  const folder = temporaryDirectory(t);
  const MB = 2 ** 20;
  const sortBuffer = 8 * MB;
  await using cluster = await Cluster.local({ ...quick, workers: 1, threads: 2, memory: workerMemoryFor(144 * MB, 2) });
  for (const [task, wanted] of [
    [100 * MB, 1],
    [40 * MB, 2],
  ] as const) {
    const log = join(folder, `log-${task}`);
    const job = await cluster.submit(
      { ...spans, memory: { sortBuffer, task } },
      {
        ...{ input: { items: ['a', 'b', 'c', 'd'] }, itemsPerSplit: 1, reducers: 2, params: { log } },
        output: join(folder, `out-${task}`),
      },
    );
    const { tasks } = (await (await job.result()).report()) as {
      readonly tasks: readonly { readonly task: string; readonly reservedBytes: number }[];
    };
    let running = 0;
    let most = 0;
    for (const line of readFileSync(log, 'utf8').trim().split('\n')) {
      running += line === 'begin' ? 1 : -1;
      most = Math.max(most, running);
    }
    t.equal(most, wanted, `${task / MB} MB each: ${wanted} at once`);
    for (const each of tasks) {
      const beside = each.task.startsWith('map') ? sortBuffer : mergeBytes(4);
      t.equal(
        each.reservedBytes,
        task + beside,
        `${each.task}: its code and its ${beside === sortBuffer ? 'sort buffer' : 'merge'}`,
      );
    }
    t.equal(tasks.length, 6);
  }
});

const endless = defineJob({
  name: 'endless',
  map: ({ value }, emit) => emit('', value),
  reduce() {
    for (;;);
  },
});

t.test('a task that never returns is ended at its deadline, wherever it is tried, and its workers go on', async (t) => {
  const folder = temporaryDirectory(t);
  await using cluster = await Cluster.local(quick);
  const limits = { taskTimeoutMs: 800, maxAttempts: 2, reducers: 1 };
  const job = await cluster.submit(endless, { input: { items: ['x'] }, output: join(folder, 'out'), ...limits });
  const workers = new Set<string>();
  for await (const event of job.progress()) {
    if (event.kind !== 'attempt-failed') continue;
    t.equal(event.error.code, 'ERR_DAF_TIMEOUT');
    workers.add(event.worker);
  }
  t.equal(workers.size, 2);
  await t.rejects(job.result(), {
    code: 'ERR_DAF_JOB_FAILED',
    cause: { cause: { code: 'ERR_DAF_TIMEOUT', hint: /--task-timeout/ } },
  });
  const input = { items: ['a b', 'b'] };
  const next = await cluster.submit(SHIPPED_JOBS['wordcount']!, {
    input,
    output: join(folder, 'next'),
    reducers: 2,
    itemsPerSplit: 1,
  });
  t.equal((await next.result()).manifest.inputs.records, 2);
});
