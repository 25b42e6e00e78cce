import t from 'tap';
import { DafError, type DafErrorCode, toWire } from '../../core/contracts/errors.js';
import type { Outcome } from '../../core/contracts/task.js';
import { decodeFromCoordinator, encode } from '../wire/index.js';
import { Bench, boom, done, LEASE, names, read } from './core.test.fixture.js';

t.test('credits are respected; tasks are spread; reduces wait for all maps', async (t) => {
  const bench = await Bench.start();
  await bench.worker('a', 2);
  await bench.worker('b', 1);
  await bench.submit('j', { splits: 5, reducers: 2 });
  t.same([names(bench.given('a')), names(bench.given('b'))], [['map-0', 'map-2'], ['map-1']]);
  bench.core.credit('a', 0, 9, bench.now);
  await bench.settle();
  t.equal(bench.given('a').length, 2, 'an old credit changes nothing');
  for (let i = 0; i < 4; i++) await bench.report('a', bench.given('a')[i]!, done());
  t.same(names(bench.given('a')), ['map-0', 'map-2', 'map-3', 'map-4'], 'no reduce while map-1 runs');
  await bench.report('b', bench.given('b')[0]!, done());
  t.same([...bench.given('a'), ...bench.given('b')].slice(-3).filter(({ task }) => task.stage === 'reduce').length, 2);
  for (const worker of ['a', 'b']) {
    for (const each of bench.given(worker)) if (each.task.stage === 'reduce') await bench.report(worker, each, read(5));
  }
  t.equal(bench.core.jobs.get('j')?.phase, 'done');
  t.ok(bench.verdicts('a').every((verdict) => verdict.endsWith('committed')));
  t.ok(bench.effects.some(({ kind }) => kind === 'clean'));
});

t.test('a retry goes to another worker, after a pause that doubles; the fourth failure is the end', async (t) => {
  const bench = await Bench.start();
  await bench.worker('a', 1);
  await bench.worker('b', 1);
  await bench.submit('j', { splits: 1, reducers: 0 });
  await bench.report('a', bench.given('a')[0]!, boom);
  t.same(
    bench.verdicts('a').map((text) => text.split(' ')[1]),
    ['failure-noted'],
  );
  await bench.wait(100);
  t.equal(bench.given('b').length, 0, 'a pause first');
  await bench.wait(200);
  t.match(bench.given('b'), [{ try: 2 }]);
  t.equal(bench.given('a').length, 1);
  await bench.report('b', bench.given('b')[0]!, boom);
  await bench.wait(300);
  t.equal(bench.given('a').length + bench.given('b').length, 2);
  await bench.wait(200);
  t.equal(bench.given('a').length + bench.given('b').length, 3);
  for (const worker of ['a', 'b']) for (const each of bench.given(worker).slice(1)) await bench.report(worker, each, boom);
  await bench.wait(900);
  for (const worker of ['a', 'b']) for (const each of bench.given(worker).slice(1)) await bench.report(worker, each, boom);
  t.match(bench.core.status('j', bench.now), {
    phase: 'failed',
    failedAttempts: 4,
    error: { code: 'ERR_DAF_TASK_FAILED', cause: { code: 'ERR_DAF_USER_CODE' } },
  });
});

t.test('what DAF itself refuses is not tried again, and is not the fault of the worker', async (t) => {
  const bench = await Bench.start();
  await bench.worker('a', 1);
  const refused = (code: DafErrorCode, retryable: boolean): Outcome => ({
    kind: 'failed',
    error: toWire(new DafError(code, 'no such option', { hint: 'read the manual', retryable })),
    lost: [],
  });
  await bench.submit('j', { splits: 2, reducers: 0 });
  await bench.report('a', bench.given('a')[0]!, refused('ERR_DAF_BAD_OPTION', false));
  t.match(bench.core.status('j', bench.now), {
    phase: 'failed',
    failedAttempts: 1,
    error: { code: 'ERR_DAF_TASK_FAILED', hint: 'read the manual', cause: { code: 'ERR_DAF_BAD_OPTION' } },
  });
  // A code that says nothing of the next attempt, one whose thrower knows better, and a record that may be skipped.
  const again: [string, Outcome, object][] = [
    ['k', refused('ERR_DAF_BAD_DATA', false), {}],
    ['l', refused('ERR_DAF_BAD_ARGUMENT', true), {}],
    ['m', refused('ERR_DAF_BAD_ARGUMENT', false), { maxSkipped: 1 }],
  ];
  for (const [job, outcome, options] of again) {
    await bench.submit(job, { splits: 1, reducers: 0 }, options);
    await bench.report('a', bench.given('a').at(-1)!, outcome);
    t.match(bench.core.status(job, bench.now), { phase: 'running', failedAttempts: 1 });
    const before = bench.given('a').length;
    await bench.wait(300);
    t.ok(bench.given('a').length > before, 'tried again');
    await bench.report('a', bench.given('a').at(-1)!, done());
    t.match(bench.core.status(job, bench.now), { phase: 'done' });
  }
});

t.test('a silent worker loses its tasks; what it says later is discarded', async (t) => {
  const bench = await Bench.start();
  await bench.worker('a', 1);
  await bench.submit('j', { splits: 1, reducers: 0 });
  const [first] = bench.given('a');
  for (let i = 0; i < 5; i++) {
    await bench.wait(LEASE - 100);
    bench.core.heartbeat('a', { running: [{ job: 'j', attempt: first!.attempt, progress: i / 10 }], peakBytes: 7 }, bench.now);
  }
  t.match(bench.core.status('j', bench.now)?.map, { running: 1, progress: 0.4 }, 'heartbeats keep it');
  await bench.worker('b', 1);
  for (let i = 0; i < 5; i++) {
    await bench.wait(LEASE / 4);
    bench.core.heartbeat(
      'b',
      { running: bench.given('b').map(({ attempt }) => ({ job: 'j', attempt, progress: 0 })), peakBytes: 7 },
      bench.now,
    );
  }
  t.same(names(bench.given('b')), ['map-0']);
  t.equal(
    bench.core.report('a', { ...first!, outcome: done(), usage: {} as never }, bench.now),
    false,
    'it must say hello again',
  );
  await bench.worker('a', 1, [first!]);
  t.same(bench.revoked('a'), [first!.attempt], 'fenced');
  await bench.report('a', first!, done());
  t.same(bench.verdicts('a'), [`${first!.attempt} discarded`]);
  const [second] = bench.given('b');
  await bench.report('b', second!, done());
  await bench.report('b', second!, done());
  t.same(bench.verdicts('b'), [`${second!.attempt} committed`, `${second!.attempt} committed`], 'a lost verdict is given again');
});

t.test('an assignment that never arrived is given again; a stopped coordinator blames nobody', async (t) => {
  const bench = await Bench.start();
  await bench.worker('a', 1);
  await bench.submit('j', { splits: 1, reducers: 0 });
  const beat = (attempts: string[]): boolean =>
    bench.core.heartbeat(
      'a',
      { running: attempts.map((attempt) => ({ job: 'j', attempt, progress: 0 })), peakBytes: 1 },
      bench.now,
    );
  for (let i = 0; i < 12; i++) {
    await bench.wait(100);
    beat([]);
  }
  t.equal(bench.given('a').length, 2);
  const { attempt } = bench.given('a')[1]!;
  beat([attempt]);
  await bench.settle();
  bench.now += 50 * LEASE; // SIGSTOP … SIGCONT
  bench.core.tick(bench.now);
  await bench.settle();
  t.ok(beat([attempt]), 'still known');
  t.equal(bench.given('a').length, 2, 'and still at it');
});

t.test('a restarted coordinator takes running attempts up, and waits for them', async (t) => {
  const bench = await Bench.start();
  await bench.worker('a', 2);
  await bench.submit('j', { splits: 3, reducers: 0 });
  const [first, second] = bench.given('a');
  await bench.report('a', first!, done());
  await bench.restart(500);
  bench.sent.length = 0;
  await bench.worker('b', 5);
  t.same(bench.given('b'), [], 'nothing is given out twice in a hurry');
  await bench.worker('a', 2, [second!]);
  await bench.report('a', second!, done());
  t.same(bench.verdicts('a'), [`${second!.attempt} committed`]);
  await bench.report('a', first!, done());
  t.same(bench.verdicts('a').slice(-1), [`${first!.attempt} committed`], 'committed in the last term');
  await bench.wait(600);
  t.same(names([...bench.given('a'), ...bench.given('b')]), ['map-2']);
});

t.test('jobs of higher priority go first', async (t) => {
  const bench = await Bench.start();
  await bench.submit('low', { splits: 2, reducers: 0 });
  await bench.submit('high', { splits: 2, reducers: 0 }, { priority: 5 });
  await bench.worker('a', 3);
  t.same(
    bench.given('a').map(({ job }) => job),
    ['high', 'high', 'low'],
  );
});

t.test('a job that may vary runs its reduces again when a map was made anew', async (t) => {
  const bench = await Bench.start();
  await bench.worker('a', 2);
  await bench.submit('j', { splits: 2, reducers: 2 }, { deterministic: false });
  for (const each of bench.given('a')) await bench.report('a', each, done());
  const [one, two] = bench.given('a').filter(({ task }) => task.stage === 'reduce');
  await bench.report('a', one!, read(2));
  const lost: Outcome = {
    kind: 'failed',
    error: toWire(new DafError('ERR_DAF_SEGMENT_LOST', 'gone')),
    lost: [{ task: { step: 0, stage: 'map', index: 1 }, generation: 0 }],
  };
  await bench.report('a', two!, lost);
  t.match(bench.given('a').slice(-1), [{ task: { stage: 'map', index: 1 }, generation: 1 }]);
  await bench.report('a', bench.given('a').slice(-1)[0]!, done());
  const again = bench.given('a').slice(-2);
  t.same(again.map(({ task, generation }) => [task.stage, generation]).sort(), [
    ['reduce', 0],
    ['reduce', 1],
  ]);
  await bench.report('a', again[0]!, read(2));
  t.match(bench.verdicts('a').slice(-1)[0], /discarded/, 'it says it read the old one');
});

t.test('a reduce that read too few maps never counts; a task that kills its workers ends', async (t) => {
  const bench = await Bench.start();
  await bench.worker('a', 1);
  await bench.submit('j', { splits: 1, reducers: 1 }, { maxAttempts: 1 });
  await bench.report('a', bench.given('a')[0]!, done());
  await bench.report('a', bench.given('a')[1]!, read(0));
  t.match(bench.core.status('j', bench.now), { phase: 'failed', error: { cause: { code: 'ERR_DAF_PROTOCOL' } } });
  await bench.submit('k', { splits: 1, reducers: 0 }, { maxAttempts: 1 });
  for (let i = 0; i < 8 && bench.core.jobs.get('k')?.phase === 'running'; i++) {
    await bench.worker(`w${i}`, 1);
    await bench.wait(12_000);
  }
  t.match(bench.core.status('k', bench.now), { phase: 'failed', error: { cause: { code: 'ERR_DAF_WORKER_LOST' } } });
});

t.test('a coordinator that was overtaken says nothing of what its successor gave out', async (t) => {
  const bench = await Bench.start();
  const early = bench.core;
  await bench.submit('j', { splits: 1, reducers: 0 });
  await bench.restart(0);
  await bench.worker('a', 1);
  const [assignment] = bench.given('a');
  const info = { worker: 'a', host: 'h', pid: 1, threads: 1, budgetBytes: 256 << 20, endpoint: null };
  early.workerHello(info, [assignment!], bench.now);
  early.heartbeat('a', { running: [{ job: 'j', attempt: assignment!.attempt, progress: 0 }], peakBytes: 1 }, bench.now);
  early.report('a', { ...assignment!, outcome: done(), usage: {} as never }, bench.now);
  const said = early.drain(bench.now).filter((effect) => effect.kind !== 'send' || effect.message.type !== 'welcome');
  t.same(said, [], 'a verdict would throw away what the successor waits for');
  await bench.report('a', assignment!, done());
  t.same(bench.verdicts('a'), [`${assignment!.attempt} committed`]);
});

t.test('a worker that holds more than a hello can name keeps the rest; one that died keeps nothing', async (t) => {
  const bench = await Bench.start();
  await bench.worker('a', 70);
  await bench.submit('j', { splits: 70, reducers: 0 });
  const given = bench.given('a');
  t.equal(given.length, 70);
  await bench.worker('b', 70);
  await bench.worker('a', 0, given.slice(0, 64));
  t.equal(bench.given('b').length, 0, 'nothing is taken from it');
  await bench.report('a', given[69]!, done());
  t.match(bench.verdicts('a').at(-1), /committed/);
  await bench.worker('a', 0, given.slice(0, 63));
  t.equal(bench.given('b').length, 6, 'a list that is not full names all');
});

t.test('a job with more counters than a message takes is still told about', async (t) => {
  const bench = await Bench.start();
  await bench.submit('j', { splits: 5, reducers: 0 });
  await bench.worker('w', 4);
  for (const [i, assignment] of bench.held('w').entries()) {
    const name = (n: number): string => (i === 3 ? `${'ä'.repeat(250)}${n}` : `${i}-${n}`);
    await bench.report(
      'w',
      assignment,
      done({ counters: Object.fromEntries(Array.from({ length: 4000 }, (_, n) => [name(n), 1])) }),
    );
    const status = bench.core.status('j', bench.now)!;
    decodeFromCoordinator(encode({ type: 'event' }, { kind: 'progress', status }));
    t.equal(Object.keys(status.counters).length, i === 0 ? 4000 : 4096);
  }
  const { counters } = bench.core.jobs.get('j')!;
  for (const each of counters.keys()) if (!each.startsWith('ä')) counters.delete(each);
  const status = bench.core.status('j', bench.now)!;
  decodeFromCoordinator(encode({ type: 'event' }, { kind: 'progress', status }));
  t.ok(Object.keys(status.counters).length > 500);
});

t.test('a complete job of an earlier coordinator is published only when workers could tell what speaks against it', async (t) => {
  const stray = toWire(new DafError('ERR_DAF_USER_CODE', 'late'));
  for (const told of [false, true]) {
    const bench = await Bench.start();
    await bench.submit('j', { splits: 1, reducers: 0 });
    await bench.store.setPhase(bench.core.options.term, 'j', 'running', 'publishing', null);
    await bench.restart(300);
    await bench.wait(200);
    t.notOk(
      bench.effects.some(({ kind }) => kind === 'publish'),
      'not at once',
    );
    if (told) t.equal(bench.core.strayed('j', stray, bench.now), null);
    await bench.wait(200);
    t.match(bench.core.status('j', bench.now), told ? { phase: 'failed', error: { message: 'late' } } : { phase: 'done' });
  }
});
