import { join } from 'node:path';
import t from 'tap';
import type { Assignment } from '../../core/contracts/task.js';
import { temporaryDirectory } from '../../testing/engine-fixture.js';
import { sampleSpec } from '../stores/state-conformance.js';
import { type AttemptSource, AttemptTable } from './attempts.js';
import { RUNNERS } from './options.js';

t.test('an attempt that waits for others does not keep a worker from making what it waits for', async (t) => {
  const folder = temporaryDirectory(t);
  const files = { spec: sampleSpec('job'), codePath: join(folder, 'none.mjs'), dataDir: folder };
  let answer: () => void = () => {};
  const outputs = new Promise<never[]>((resolve) => {
    answer = () => resolve([]);
  });
  const source = { jobs: { get: async () => files, loaded: () => null }, outputs: () => outputs, dataEndpoint: null };
  const ended: unknown[] = [];
  const options = {
    ...{ endpoint: '', name: 'w', host: 'h', dataDir: folder, budgetBytes: 128 << 20, threads: 1, runners: RUNNERS },
    ...{ readyFd: null, parentPid: null, token: null, keys: null, allow: null, dataEndpoint: null },
  };
  const table = new AttemptTable(options, source as unknown as AttemptSource, {
    onEnded: (key) => void ended.push(key),
    onCapacity: () => {},
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
