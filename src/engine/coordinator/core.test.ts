import t from 'tap';
import { DafError, toWire } from '../../core/contracts/errors.js';
import { type JobSpec, taskName } from '../../core/contracts/job.js';
import type { StepSpec } from '../../core/contracts/step.js';
import type { Assignment, Commit, Outcome } from '../../core/contracts/task.js';
import { sampleCommit, sampleSpec } from '../stores/state-conformance.js';
import { MemoryStateStore } from '../stores/state-memory.js';
import { Core } from './core.js';
import type { Effect } from './effects.js';

const LEASE = 1000;

/** A core with a store behind it that answers at once. */
class Bench {
  now = 1;
  readonly store = new MemoryStateStore();
  readonly sent: Extract<Effect, { kind: 'send' }>[] = [];
  readonly effects: Effect[] = [];
  core!: Core;

  static async start(graceMs = 0): Promise<Bench> {
    const bench = new Bench();
    await bench.restart(graceMs);
    return bench;
  }

  async restart(graceMs: number): Promise<void> {
    const term = await this.store.beginTerm('bench');
    this.core = new Core({ term, leaseMs: LEASE, heartbeatMs: 100, graceMs });
    for (const job of await this.store.listJobs()) this.core.loadJob(job, await this.store.loadTasks(job.spec.id), this.now);
    await this.settle();
  }

  async submit(id: string, step: Partial<StepSpec>, changes: Partial<JobSpec> = {}): Promise<void> {
    const spec = sampleSpec(id, changes, step);
    await this.store.createJob(this.core.options.term, spec);
    this.core.jobCreated(spec, this.now);
    await this.settle();
  }

  async worker(id: string, capacity: number, running: Assignment[] = []): Promise<void> {
    this.core.workerHello({ worker: id, host: 'h', pid: 1, threads: 1, budgetBytes: 1, endpoint: null }, running, this.now);
    this.core.credit(id, 0, capacity, this.now);
    await this.settle();
  }

  async report(worker: string, assignment: Assignment, outcome: Outcome): Promise<void> {
    const { job, task, generation, attempt, epoch } = assignment;
    const usage = { worker, milliseconds: 1, reservedBytes: 1, nativePeakBytes: 1, processPeakBytes: 1 };
    this.core.report(worker, { job, task, generation, attempt, epoch, outcome, usage }, this.now);
    await this.settle();
  }

  async wait(ms: number): Promise<void> {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += Math.min(100, end - this.now);
      this.core.tick(this.now);
      await this.settle();
    }
  }

  /** What a worker was given and has not reported, oldest first. */
  given(worker: string): Assignment[] {
    return this.sent.flatMap(({ worker: to, body }) => (to === worker ? [...(body ?? [])] : []));
  }

  verdicts(worker: string): string[] {
    return this.sent.flatMap(({ worker: to, message }) =>
      to === worker && message.type === 'verdicts' ? message.verdicts.map(({ attempt, verdict }) => `${attempt} ${verdict}`) : [],
    );
  }

  revoked(worker: string): string[] {
    return this.sent.flatMap(({ worker: to, message }) =>
      to === worker && message.type === 'revoke' ? message.attempts.map(({ attempt }) => attempt) : [],
    );
  }

  async settle(): Promise<void> {
    for (let effects = this.core.drain(this.now); effects.length > 0; effects = this.core.drain(this.now)) {
      for (const effect of effects) await this.#carryOut(effect);
    }
  }

  async #carryOut(effect: Effect): Promise<void> {
    const { term } = this.core.options;
    this.effects.push(effect);
    if (effect.kind === 'send') this.sent.push(effect);
    if (effect.kind === 'commit') {
      const [verdict] = await this.store.commitTasks(term, [effect]);
      this.core.commitDecided(effect.job, effect.commit, verdict === 'committed' ? effect.commit : null, this.now);
    } else if (effect.kind === 'count-failure') {
      const { job, task, generation, attempt, worker } = effect;
      const count = await this.store.countFailure(term, job, task, generation, attempt, worker);
      this.core.failureCounted(job, attempt, count, this.now);
    } else if (effect.kind === 'reopen') {
      const { job, task, generation } = effect;
      await this.store.reopenTask(term, job, task, generation);
      this.core.reopened(job, task, generation, null, this.now);
    } else if (effect.kind === 'set-phase') {
      await this.store.setPhase(term, effect.job, effect.from, effect.to, effect.error);
      this.core.phaseSet(effect.job, effect.to, this.now);
    } else if (effect.kind === 'publish') this.core.published(effect.job, this.now);
  }
}

const done = (changes: Partial<Commit['outcome']> = {}): Outcome =>
  sampleCommit({ step: 0, stage: 'map', index: 0 }, 0, 'x', { counters: {}, ...changes }).outcome;
const read = (maps: number): Outcome =>
  done({ reads: [{ step: 0, stage: 'map', from: 0, count: maps, generations: [[0, maps]] }] });
const boom: Outcome = { kind: 'failed', error: toWire(new DafError('ERR_DAF_USER_CODE', 'boom')), lost: [] };
const names = (assignments: Assignment[]): string[] => assignments.map(({ task }) => taskName(task));

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
