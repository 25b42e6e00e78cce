import t from 'tap';
import { sampleStep } from '../stores/state-conformance.js';
import { Bench, done, names, read } from './core.test.fixture.js';
import type { Effect } from './effects.js';

const MB = 2 ** 20;
const LARGE = { sortBuffer: 100 * MB, task: 216 * MB };

const said = (bench: Bench): (string | undefined)[] =>
  bench.effects.flatMap((effect: Effect) => (effect.kind === 'waiting' ? [effect.error?.code] : []));

/** A worker of so many MB joins. */
async function join(bench: Bench, id: string, megabytes: number, capacity = 1): Promise<void> {
  const info = { worker: id, host: 'h', pid: 1, threads: 1, budgetBytes: megabytes * MB, endpoint: null };
  bench.core.workerHello(info, [], bench.now);
  bench.core.credit(id, 0, capacity, bench.now);
  await bench.settle();
}

/** Time goes by, in which workers say that they live. */
async function pass(bench: Bench, ms: number, workers: readonly string[]): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    for (const worker of workers) {
      const running = bench.held(worker).map(({ job, attempt }) => ({ job, attempt, progress: 0 }));
      bench.core.heartbeat(worker, { running, peakBytes: 1 }, bench.now);
    }
    await bench.wait(100);
  }
}

t.test('a job that fits into no worker waits, says for what, and goes on with one that is large enough', async (t) => {
  const bench = await Bench.start();
  await join(bench, 'small', 256);
  await join(bench, 'smaller', 200);
  await bench.submit('j', { splits: 1, reducers: 1, memory: LARGE });
  await bench.submit('other', { splits: 1, reducers: 0 });
  t.same(
    bench.given('small').map(({ job }) => job),
    ['other'],
    'another job does not wait behind it',
  );
  await pass(bench, 800, ['small', 'smaller']);
  t.same(said(bench), [], 'workers may be on their way');
  await pass(bench, 400, ['small', 'smaller']);
  t.same(said(bench), ['ERR_DAF_NO_ROOM']);
  t.match(bench.core.status('j', bench.now), {
    phase: 'running',
    failedAttempts: 0,
    waiting: {
      code: 'ERR_DAF_NO_ROOM',
      message: 'a map task needs 316 MB; the largest of 2 workers has 168 MB for tasks (256 MB in all, 1 thread)',
      hint: /a worker of at least 404 MB/,
    },
  });
  t.equal(bench.core.status('other', bench.now)?.waiting, null);
  await pass(bench, 60_000, ['small', 'smaller']);
  t.same(said(bench), ['ERR_DAF_NO_ROOM'], 'once');
  t.equal(bench.core.status('j', bench.now)?.phase, 'running', 'for as long as it takes');
  await join(bench, 'large', 404);
  t.same(names(bench.given('large')), ['map-0']);
  await pass(bench, 100, ['small', 'smaller', 'large']);
  t.same(said(bench), ['ERR_DAF_NO_ROOM', undefined]);
  t.equal(bench.core.status('j', bench.now)?.waiting, null);
  await bench.report('large', bench.given('large')[0]!, done());
  await bench.report('large', bench.given('large')[1]!, read(1));
  t.equal(bench.core.status('j', bench.now)?.phase, 'done');
});

t.test('large tasks of a later stage are known of from the beginning, and small ones run meanwhile', async (t) => {
  const bench = await Bench.start();
  await join(bench, 'small', 256);
  const steps = [
    sampleStep({ name: 'draw', splits: 1, reducers: 0 }),
    sampleStep({ name: 'fit', from: [0], splits: 1, reducers: 1, memory: { sortBuffer: 8 * MB, task: 392 * MB } }),
  ];
  await bench.submit('j', {}, { steps });
  await pass(bench, 1200, ['small']);
  t.match(bench.core.status('j', bench.now)?.waiting, { message: /^a map task of step fit needs 400 MB; the only worker has/ });
  t.same(names(bench.given('small')), ['map-0'], 'what fits goes on');
});

t.test('a worker that may hold large tasks leaves: its job waits again', async (t) => {
  const bench = await Bench.start();
  await join(bench, 'large', 512);
  await bench.submit('j', { splits: 2, reducers: 0, memory: LARGE });
  await pass(bench, 1200, ['large']);
  t.same(said(bench), []);
  bench.core.workerBye('large', bench.now);
  await pass(bench, 1200, []);
  t.match(bench.core.status('j', bench.now)?.waiting, { message: 'there is no worker', hint: /daf worker --memory/ });
  await join(bench, 'larger', 512);
  await pass(bench, 100, ['larger']);
  t.equal(bench.core.status('j', bench.now)?.waiting, null);
});
