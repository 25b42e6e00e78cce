import t from 'tap';
import { attemptName } from '../../core/contracts/job.js';
import { FIRST_SKIPPING_TRY } from '../../core/contracts/task.js';
import { Bench, boom, done, names, read } from './core.test.fixture.js';

/** Keeps workers alive for `ms`: what they hold is named in every heartbeat. */
async function pass(bench: Bench, ms: number, workers: readonly string[], progress = 0.5): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    for (const worker of workers) {
      const running = bench.held(worker).map(({ job, attempt }) => ({ job, attempt, progress }));
      bench.core.heartbeat(worker, { running, peakBytes: 1 }, bench.now);
    }
    await bench.wait(100);
  }
}

t.test('an attempt that holds up its stage gets a second one elsewhere; the first to commit wins', async (t) => {
  const bench = await Bench.start();
  await bench.worker('a', 1);
  await bench.worker('b', 1);
  await bench.submit('j', { splits: 4, reducers: 0 });
  const [slow] = bench.given('a');
  await pass(bench, 200, ['a', 'b']);
  for (let i = 0; i < 3; i++) await bench.report('b', bench.given('b').at(-1)!, done());
  t.equal(bench.given('b').length, 3, 'everything else is done');
  await pass(bench, 200, ['a', 'b']);
  t.equal(bench.given('b').length, 3, 'too young to be slow');
  await pass(bench, 1000, ['a', 'b'], 0.1);
  const backup = bench.given('b').at(-1)!;
  t.match(backup, { task: slow!.task, generation: 0, backup: true });
  t.not(backup.attempt, slow!.attempt);
  await bench.report('b', backup, done());
  t.same(bench.revoked('a'), [slow!.attempt]);
  t.equal(bench.core.status('j', bench.now)?.phase, 'done');
});

t.test('a job that is not idempotent gets no backups', async (t) => {
  const bench = await Bench.start();
  await bench.worker('a', 1);
  await bench.worker('b', 1);
  await bench.submit('j', { splits: 4, reducers: 0 }, { backups: false });
  await pass(bench, 200, ['a', 'b']);
  for (let i = 0; i < 3; i++) await bench.report('b', bench.given('b').at(-1)!, done());
  await pass(bench, 3000, ['a', 'b'], 0.1);
  t.equal(bench.given('b').length, 3);
});

t.test('a task that misses its deadline has failed, and goes elsewhere', async (t) => {
  const bench = await Bench.start();
  await bench.worker('a', 1);
  await bench.worker('b', 0);
  await bench.submit('j', { splits: 1, reducers: 0 }, { taskTimeoutMs: 2000, maxAttempts: 2 });
  const [first] = bench.given('a');
  await pass(bench, 1900, ['a', 'b']);
  t.same(bench.revoked('a'), []);
  await pass(bench, 200, ['a', 'b']);
  t.same(bench.revoked('a'), [first!.attempt]);
  bench.core.credit('b', 9, 1, bench.now);
  await pass(bench, 400, ['a', 'b']);
  t.equal(bench.given('b').length, 1, 'another worker tries it');
  await pass(bench, 2200, ['a', 'b']);
  t.match(bench.core.status('j', bench.now), { phase: 'failed', error: { cause: { code: 'ERR_DAF_TIMEOUT' } } });
});

t.test('a worker where tasks fail again and again is put aside, and comes back', async (t) => {
  const bench = await Bench.start();
  await bench.worker('bad', 1);
  await bench.worker('good', 1);
  await bench.submit('j', { splits: 40, reducers: 0 }, { maxAttempts: 100 });
  for (let i = 0; i < 4; i++) await bench.report('bad', bench.given('bad').at(-1)!, boom);
  t.equal(bench.given('bad').length, 4, 'nothing more for now');
  t.match(bench.core.workers(bench.now), [
    { worker: 'bad', aside: true },
    { worker: 'good', aside: false },
  ]);
  await pass(bench, 11_000, ['bad', 'good']);
  t.ok(bench.given('bad').length > 4, 'after a while it gets another chance');
});

t.test('a worker that was put aside is not let out by going and coming back', async (t) => {
  for (const [how, go] of [
    ['bye', async (bench: Bench) => bench.core.workerBye('bad', bench.now)],
    ['its lease ends', (bench: Bench) => pass(bench, 1500, ['good'])],
  ] as const) {
    const bench = await Bench.start();
    await bench.worker('bad', 1);
    await bench.worker('good', 1);
    await bench.submit('j', { splits: 40, reducers: 0 }, { maxAttempts: 100 });
    for (let i = 0; i < 4; i++) await bench.report('bad', bench.given('bad').at(-1)!, boom);
    await go(bench);
    t.same(
      bench.core.workers(bench.now).map(({ worker }) => worker),
      ['good'],
      how,
    );
    await bench.worker('bad-again', 1);
    t.same(bench.given('bad-again'), [], `${how}: the next process of its host gets nothing yet`);
    t.match(bench.core.workers(bench.now)[0], { worker: 'bad-again', aside: true });
    await pass(bench, 11_000, ['bad-again', 'good']);
    t.ok(bench.given('bad-again').length > 0, `${how}: it gets its chance when the time is over`);
  }
});

t.test('jobs of one priority share the workers, whichever came first', async (t) => {
  const bench = await Bench.start();
  await bench.submit('long', { splits: 100, reducers: 0 });
  await bench.submit('short', { splits: 2, reducers: 0 });
  await bench.submit('urgent', { splits: 1, reducers: 0 }, { priority: 1 });
  await bench.worker('a', 5);
  const jobs = bench.given('a').map(({ job }) => job);
  t.equal(jobs[0], 'urgent');
  t.same(jobs.slice(1).sort(), ['long', 'long', 'short', 'short']);
});

t.test('the last tasks go to the workers that have been quicker', async (t) => {
  const bench = await Bench.start();
  await bench.worker('slow', 1);
  await bench.worker('quick', 1);
  await bench.submit('j', { splits: 2, reducers: 1 }, { backups: false });
  await pass(bench, 100, ['slow', 'quick']);
  await bench.report('quick', bench.given('quick')[0]!, done());
  await pass(bench, 900, ['slow', 'quick']);
  await bench.report('slow', bench.given('slow')[0]!, done());
  t.same(names(bench.given('quick')).slice(1), ['reduce-0'], 'though the slow one asked later');
  await bench.report('quick', bench.given('quick')[1]!, read(2));
  t.equal(bench.core.status('j', bench.now)?.phase, 'done');
});

t.test('a map that may go on without some records is given up only by an attempt that looked for them', async (t) => {
  const bench = await Bench.start();
  await bench.worker('first', 1);
  await bench.submit('j', { splits: 1, reducers: 0 }, { maxSkipped: 1, maxAttempts: 4 });
  const [given] = bench.given('first');
  await bench.restart(0);
  // What coordinators before this one gave out and forgot: each says that it is the first try.
  for (let counter = 101; counter < 105; counter++) {
    const epoch = { term: 1, counter };
    const left = { ...given!, epoch, attempt: attemptName(given!.task, 0, epoch) };
    t.equal(left.try, 1);
    await bench.worker(`w${counter}`, 1, [left]);
    await bench.report(`w${counter}`, left, boom);
  }
  t.match(bench.core.status('j', bench.now), { phase: 'running' }, 'four have failed, and none of them looked');
  for (let i = 0; i < 100 && [101, 102, 103, 104].every((w) => bench.given(`w${w}`).length === 0); i++) {
    await pass(bench, 200, ['w101', 'w102', 'w103', 'w104']);
  }
  const worker = ['w101', 'w102', 'w103', 'w104'].find((w) => bench.given(w).length > 0)!;
  const [looks] = bench.given(worker);
  t.ok(looks!.try > FIRST_SKIPPING_TRY, `try ${looks!.try}`);
  await bench.report(worker, looks!, boom);
  t.match(bench.core.status('j', bench.now), { phase: 'failed' });
});
