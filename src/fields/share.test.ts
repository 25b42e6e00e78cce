import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { test } from 'tap';
import { Field } from './field.js';

const options = {
  kind: 'hashgrid',
  box: { min: [-1, -1, -1], max: [1, 1, 1] },
  levels: 4,
  log2Entries: 10,
  finest: 32,
  occupancy: 16,
} as const;

test('threads attach to one field and read the same weights at once', async (t) => {
  using field = Field.create(options);
  const points = Float32Array.from({ length: 3 * 5000 }, (_, i) => Math.sin(i * 12.9898));
  const expected = field.evaluate(points).density;
  const id = field.share();
  t.equal(field.share(), id, 'asked again, the id is the same');
  const answers = await Promise.all(
    [1, 2, 3].map(async () => {
      const worker = new Worker(new URL('./share.test.fixture.js', import.meta.url), { workerData: { id, points } });
      const [density] = (await once(worker, 'message')) as [Float32Array];
      await worker.terminate();
      return density;
    }),
  );
  for (const density of answers) t.same(density, expected);
});

test('an attached field outlives the one it came from, and an id does not outlive the last', (t) => {
  const first = Field.create(options);
  const id = first.share();
  const second = Field.attach(id);
  first.dispose();
  t.equal(second.parameterCount > 0, true);
  t.equal(second.share(), id);
  second.dispose();
  t.throws(() => Field.attach(id), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.throws(() => Field.attach(-1), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.end();
});
