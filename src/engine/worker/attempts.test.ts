import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { packSplit } from '../../core/compact.js';
import { attemptName, type Split, splitsIndexKey, splitsKey } from '../../core/contracts/job.js';
import type { Assignment, Report } from '../../core/contracts/task.js';
import { fetchBytes, workerMemoryFor } from '../../core/memory-plan.js';
import { temporaryDirectory } from '../../testing/engine-fixture.js';
import { openBlobStore } from '../stores/open-blob.js';
import { sampleSpec } from '../stores/state-conformance.js';
import { pack } from '../wire/index.js';
import { type AttemptSource, AttemptTable } from './attempts.js';
import { RUNNERS, type WorkerOptions } from './options.js';

function optionsOf(folder: string): WorkerOptions {
  return {
    ...{ endpoint: '', name: 'w', host: 'h', dataDir: folder, budgetBytes: 128 << 20, threads: 1, runners: RUNNERS },
    ...{ readyFd: null, parentPid: null, token: null, keys: null, allow: null, dataEndpoint: null },
  };
}

t.test('an attempt that waits for others does not keep a worker from making what it waits for', async (t) => {
  const folder = temporaryDirectory(t);
  const files = { spec: sampleSpec('job'), codePath: join(folder, 'none.mjs'), dataDir: folder };
  let answer: () => void = () => {};
  const outputs = new Promise<never[]>((resolve) => {
    answer = () => resolve([]);
  });
  const source = { jobs: { get: async () => files, loaded: () => null }, outputs: () => outputs, dataEndpoint: null };
  const ended: unknown[] = [];
  const table = new AttemptTable(optionsOf(folder), source as unknown as AttemptSource, {
    onEnded: (report) => void ended.push(report),
    onCapacity: () => {},
    onStray: () => {},
  });
  t.teardown(() => table.close());
  const reduce: Assignment = {
    ...{ job: 'job', task: { step: 0, stage: 'reduce', index: 0 }, generation: 0, attempt: 'reduce-0-g0-a1.1' },
    ...{ epoch: { term: 1, counter: 1 }, try: 1, backup: false },
  };
  table.start([reduce]);
  t.equal(table.capacity, 1, 'it does not wait for long yet');
  await new Promise((resolve) => setTimeout(resolve, 1200));
  t.equal(table.capacity, 2, 'there is room for a map');
  answer();
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.equal(table.capacity, 1, 'and none once it has what it waited for');
});

t.test('what fetches take in memory is reserved too: where there is no room for it they wait', async (t) => {
  const folder = temporaryDirectory(t);
  const spec = sampleSpec('job', {}, { splits: 4, reducers: 2, memory: { sortBuffer: 1, task: 1 } });
  const files = { spec, codePath: join(folder, 'none.mjs'), dataDir: folder };
  const held = Array.from({ length: 4 }, (_, index) => ({
    ...{ index, generation: 0, attempt: `map-${index}-g0-a1.${index}`, key: null, digest: 1, bytes: 0, crc32c: 0 },
    copies: [{ worker: 'x', host: 'elsewhere', endpoint: 'tcp://127.0.0.1:1', path: '/x' }],
  }));
  const fetched: number[] = [];
  let arrive: () => void = () => {};
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  const fetch = async (_: string, { partition }: { readonly partition: number }): Promise<number> => {
    fetched.push(partition);
    if (partition === 0) await arrived;
    return 0;
  };
  const jobs = { get: async () => files, loaded: () => files };
  const source = { jobs, outputs: async () => held, fetcher: { fetch }, dataEndpoint: null };
  let wake: () => void = () => {};
  let ended = 0;
  const options = { ...optionsOf(folder), budgetBytes: workerMemoryFor(fetchBytes(4), 1) };
  const table = new AttemptTable(options, source as unknown as AttemptSource, {
    onEnded: () => {
      ended += 1;
      wake();
    },
    onCapacity: () => {},
    onStray: () => {},
  });
  t.teardown(() => table.close());
  const reduces = [0, 1].map((index): Assignment => {
    const task = { step: 0, stage: 'reduce', index } as const;
    return { ...mapOf(index), task, attempt: attemptName(task, 0, { term: 1, counter: index }) };
  });
  table.start(reduces);
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.same(fetched, [0, 0, 0, 0], 'only the first fetches');
  arrive();
  while (ended < 2) await new Promise<void>((resolve) => (wake = resolve));
  t.same(fetched, [0, 0, 0, 0, 1, 1, 1, 1], 'the second when the first has done so');
});

/** Ends its thread at the line "end", once. */
const ENDS_ONCE = (flag: string): string => `
import { existsSync, rmSync } from 'node:fs';
import { defineJob } from 'daf-external:daf';
export default defineJob({ name: 'ends', map({ value }) {
  if (value !== 'end' || !existsSync(${JSON.stringify(flag)})) return;
  rmSync(${JSON.stringify(flag)});
  process.exit(1);
} });`;

t.test('attempts whose thread was taken down before their turn run again, and that does not count', async (t) => {
  const folder = temporaryDirectory(t);
  const at = (name: string): string => join(folder, name);
  for (const line of ['end', 'go']) writeFileSync(at(line), `${line}\n`);
  writeFileSync(at('code.mjs'), ENDS_ONCE(at('flag')));
  const [warm, splits] = [40, 46];
  const spec = sampleSpec(
    'job',
    { output: pathToFileURL(at('out')).href },
    { splits, reducers: 0, memory: { sortBuffer: 0, task: 1 << 20 } },
  );
  const store = openBlobStore(spec.output);
  const splitOf = (index: number): Split => {
    const line = index === warm ? 'end' : 'go';
    const length = line.length + 1;
    const where = {
      name: line,
      path: at(line),
      stored: false,
      compression: null,
      unpackedOffset: 0,
      unpackedLength: null,
      split: index,
    } as const;
    return { index, pieces: [{ ...where, offset: 0, length, fileLength: length, version: null, at: 0 }] };
  };
  const lists = Array.from({ length: splits }, (_, index) => Buffer.from(pack(packSplit(splitOf(index)))));
  const index = Buffer.alloc(8 * (splits + 1));
  lists.reduce((from, { length }, i) => {
    index.writeBigUInt64LE(BigInt(from + length), 8 * (i + 1));
    return from + length;
  }, 0);
  await store.put(splitsKey('job'), Buffer.concat(lists));
  await store.put(splitsIndexKey('job'), index);
  const ended = new Map<number, Report>();
  let wake = (): void => {};
  const files = { spec, codePath: at('code.mjs'), dataDir: folder };
  const source = { jobs: { get: async () => files, loaded: () => files }, dataEndpoint: null };
  const table = new AttemptTable(optionsOf(folder), source as unknown as AttemptSource, {
    onEnded: (report) => {
      t.notOk(ended.has(report.task.index), `attempt ${report.task.index} ends once`);
      ended.set(report.task.index, report);
      wake();
    },
    onCapacity: () => {},
    onStray: () => {},
  });
  t.teardown(() => table.close());
  const run = async (indexes: readonly number[]): Promise<void> => {
    table.start(indexes.map(mapOf));
    while (!indexes.every((index) => ended.has(index))) await new Promise<void>((resolve) => (wake = resolve));
  };
  // Only tasks that are known to be short share a crossing.
  for (let index = 0; index < warm; index++) await run([index]);
  writeFileSync(at('flag'), '');
  await run([warm, warm + 1, warm + 2, warm + 3, warm + 4, warm + 5]);
  t.notOk(existsSync(at('flag')), 'the thread did end');
  t.match(ended.get(warm)?.outcome, { kind: 'failed', error: { code: 'ERR_DAF_USER_CODE' } });
  for (let index = warm + 1; index < splits; index++) t.equal(ended.get(index)?.outcome.kind, 'done', `attempt ${index}`);
});

function mapOf(index: number): Assignment {
  const task = { step: 0, stage: 'map', index } as const;
  const epoch = { term: 1, counter: index };
  return { job: 'job', task, generation: 0, attempt: attemptName(task, 0, epoch), epoch, try: 1, backup: false };
}
