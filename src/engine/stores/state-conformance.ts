import type { Test } from 'tap';
import { type JobSpec, type TaskId, taskName } from '../../core/contracts/job.js';
import type { StepSpec } from '../../core/contracts/step.js';
import type { StateStore } from '../../core/contracts/stores.js';
import type { Commit, HeldOutput } from '../../core/contracts/task.js';

/** What one adapter gives the suite: `open` may be called again on the same place, as a restarted coordinator does. */
export interface StateStorePlace {
  open(): Promise<StateStore>;
}

/** A job of one step. */
export function sampleSpec(id: string, changes: Partial<JobSpec> = {}, step: Partial<StepSpec> = {}): JobSpec {
  return {
    id,
    name: 'sample',
    code: { kind: 'module', sha256: '0'.repeat(64) },
    output: 'file:///nowhere',
    steps: [sampleStep(step)],
    hasFinalize: false,
    deterministic: true,
    input: { bytes: 0, seams: 0 },
    format: { kind: 'text', separator: '\t' },
    params: {},
    maxAttempts: 4,
    replicas: 1,
    intermediate: 'workers',
    backups: true,
    taskTimeoutMs: null,
    maxSkipped: 0,
    priority: 0,
    isa: 'scalar',
    ...changes,
  };
}

export function sampleStep(changes: Partial<StepSpec> = {}): StepSpec {
  return {
    name: 'main',
    from: [],
    given: [],
    cuts: null,
    input: { kind: 'lines' },
    splits: 4,
    firstSplit: 0,
    reducers: 2,
    hasCombine: false,
    groupPrefix: 0,
    memory: { sortBuffer: 1, task: 1 },
    ...changes,
  };
}

export function sampleCommit(
  task: TaskId,
  generation: number,
  attempt: string,
  changes: Partial<Commit['outcome']> = {},
): Commit {
  return {
    task,
    generation,
    attempt,
    epoch: { term: 1, counter: 1 },
    outcome: {
      kind: 'done',
      held: null,
      outputs: [],
      counters: { 'größe\n': 1.5 },
      recordsIn: 2 ** 40,
      skipped: 0,
      intake: { records: 2 ** 40, coverage: { bytes: 2 ** 50, seams: 2 ** 32 - 1 } },
      recordsOut: 0,
      refused: [],
      reads: [],
      ...changes,
    },
    usage: { worker: 'w', milliseconds: 0.25, reservedBytes: 0, nativePeakBytes: 0, processPeakBytes: 0 },
  };
}

const map = (index: number): TaskId => ({ step: 0, stage: 'map', index });

/** Every StateStore passes this. `place()` names a fresh, empty place. */
export function stateStoreConformance(t: Test, place: () => Promise<StateStorePlace>): void {
  const begin = async (): Promise<{ store: StateStore; term: number; again: () => Promise<StateStore> }> => {
    const at = await place();
    const store = await at.open();
    return { store, term: await store.beginTerm('test'), again: () => at.open() };
  };

  t.test('terms grow and fence', async (t) => {
    const { store, term, again } = await begin();
    await store.createJob(term, sampleSpec('a'));
    const second = await again();
    const later = await second.beginTerm('other');
    t.ok(later > term);
    t.equal(await store.currentTerm(), later);
    const old = { code: 'ERR_DAF_FENCED' };
    await t.rejects(store.createJob(term, sampleSpec('b')), old);
    await t.rejects(store.setPhase(term, 'a', 'running', 'failed', null), old);
    await t.rejects(store.commitTasks(term, [{ job: 'a', commit: sampleCommit(map(0), 0, 'x') }]), old);
    await t.rejects(store.reopenTask(term, 'a', map(0), 0), old);
    await t.rejects(store.moveCopies(term, 'a', map(0), 0, 'x', []), old);
    await t.rejects(store.countFailure(term, 'a', map(0), 0, 'a0', 'w'), old);
    await t.rejects(store.deleteJob(term, 'a'), old);
    t.same(await second.loadTasks('a'), [], 'a fenced call changes nothing');
    t.equal((await second.getJob('a'))?.phase, 'running');
    await second.close();
    await store.close();
  });

  t.test('a job is created once, whatever was created later', async (t) => {
    const { store, term, again } = await begin();
    t.equal(await store.createJob(term, sampleSpec('a')), 'created');
    t.equal(await store.createJob(term, sampleSpec('a', { name: 'other' })), 'exists');
    t.equal(await store.createJob(term, sampleSpec('b')), 'created');
    t.same((await store.getJob('a'))?.spec, sampleSpec('a'));
    t.equal(await store.getJob('c'), null);
    const second = await again();
    t.same(
      (await second.listJobs()).map(({ spec }) => spec.id),
      ['a', 'b'],
      'and is there after a restart',
    );
    await second.close();
    await store.close();
  });

  t.test('phases are compared and set', async (t) => {
    const { store, term } = await begin();
    await store.createJob(term, sampleSpec('a'));
    t.equal(await store.setPhase(term, 'a', 'publishing', 'done', null), false);
    t.equal(await store.setPhase(term, 'a', 'running', 'failed', { code: 'ERR_DAF_X', message: 'm' }), true);
    t.equal(await store.setPhase(term, 'a', 'running', 'publishing', null), false);
    t.equal(await store.setPhase(term, 'nobody', 'running', 'publishing', null), false);
    t.match(await store.getJob('a'), { phase: 'failed', error: { code: 'ERR_DAF_X' } });
    await store.close();
  });

  t.test('the first commit of a generation wins, for ever', async (t) => {
    const { store, term, again } = await begin();
    await store.createJob(term, sampleSpec('a'));
    const first = sampleCommit(map(1), 0, 'one');
    t.same(
      await store.commitTasks(term, [
        { job: 'a', commit: first },
        { job: 'a', commit: sampleCommit(map(1), 0, 'two') },
        { job: 'a', commit: sampleCommit(map(0), 1, 'ahead') },
        { job: 'gone', commit: sampleCommit(map(0), 0, 'x') },
        { job: 'a', commit: sampleCommit(map(3), 0, 'three') },
      ]),
      ['committed', 'discarded', 'discarded', 'discarded', 'committed'],
    );
    t.same(await store.commitTasks(term, [{ job: 'a', commit: first }]), ['discarded'], 'even from the winner');
    t.same(await store.commitTasks(term, []), []);
    const racing = await Promise.all(
      ['p', 'q', 'r'].map((name) => store.commitTasks(term, [{ job: 'a', commit: sampleCommit(map(2), 0, name) }])),
    );
    t.equal(racing.flat().filter((verdict) => verdict === 'committed').length, 1);
    const second = await again();
    const tasks = await second.loadTasks('a');
    t.same(
      tasks.map(({ task }) => task),
      [map(1), map(2), map(3)],
    );
    t.same(tasks[0]?.commit, first, 'every member survives');
    await second.close();
    await store.close();
  });

  t.test('reopening opens the next generation once', async (t) => {
    const { store, term } = await begin();
    await store.createJob(term, sampleSpec('a'));
    t.equal(await store.reopenTask(term, 'a', map(0), 0), false, 'nothing was committed');
    await store.commitTasks(term, [{ job: 'a', commit: sampleCommit(map(0), 0, 'one') }]);
    t.equal(await store.reopenTask(term, 'a', map(0), 0), true);
    t.equal(await store.reopenTask(term, 'a', map(0), 0), false);
    t.match(await store.loadTasks('a'), [{ generation: 1, commit: null, failures: [] }]);
    t.same(await store.commitTasks(term, [{ job: 'a', commit: sampleCommit(map(0), 0, 'late') }]), ['discarded']);
    t.same(await store.commitTasks(term, [{ job: 'a', commit: sampleCommit(map(0), 1, 'new') }]), ['committed']);
    await store.close();
  });

  t.test('copies move while their commit stands', async (t) => {
    const { store, term, again } = await begin();
    await store.createJob(term, sampleSpec('a'));
    const copies = ['south', 'west'].map((worker) => ({ worker, host: worker, path: `/${worker}`, endpoint: 'ipc:///x' }));
    const held = { index: 0, generation: 0, attempt: 'one', copies: [], key: null, bytes: 1, crc32c: null, digest: 1 };
    t.equal(await store.moveCopies(term, 'a', map(0), 0, 'one', copies), false, 'nothing was committed');
    const commit = (index: number, changes: Partial<typeof held> | null): { job: string; commit: Commit } => ({
      job: 'a',
      commit: sampleCommit(map(index), 0, 'one', { held: changes && ({ ...held, ...changes } as HeldOutput) }),
    });
    await store.commitTasks(term, [commit(0, {}), commit(1, null), commit(2, { key: 'in/the/store' } as never)]);
    t.equal(await store.moveCopies(term, 'a', map(0), 0, 'one', copies), true);
    t.equal(await store.moveCopies(term, 'a', map(0), 0, 'two', []), false, 'another attempt');
    t.equal(await store.moveCopies(term, 'a', map(0), 1, 'one', []), false, 'another generation');
    t.equal(await store.moveCopies(term, 'a', map(1), 0, 'one', copies), false, 'it holds nothing');
    t.equal(await store.moveCopies(term, 'a', map(2), 0, 'one', copies), false, 'it lies in the output store');
    const second = await again();
    const [moved] = await second.loadTasks('a');
    t.same(moved?.commit, commit(0, { copies } as never).commit, 'nothing else changed');
    await store.reopenTask(term, 'a', map(0), 0);
    t.equal(await store.moveCopies(term, 'a', map(0), 0, 'one', copies), false, 'taken back');
    await second.close();
    await store.close();
  });

  t.test('failures are counted within a generation', async (t) => {
    const { store, term } = await begin();
    await store.createJob(term, sampleSpec('a'));
    t.equal(await store.countFailure(term, 'a', map(0), 0, 'a1', 'w1'), 1);
    t.equal(await store.countFailure(term, 'a', map(0), 0, 'a1', 'w1'), 1, 'told twice, counted once');
    t.equal(await store.countFailure(term, 'a', map(0), 0, 'a2', 'w2'), 2);
    t.equal(await store.countFailure(term, 'a', map(0), 0, 'a3', 'w1'), 3);
    t.equal(await store.countFailure(term, 'a', map(0), 7, 'a4', 'w3'), 3, 'another generation changes nothing');
    t.same((await store.loadTasks('a'))[0]?.failedOn, ['w1', 'w2']);
    await store.commitTasks(term, [{ job: 'a', commit: sampleCommit(map(0), 0, 'x') }]);
    await store.reopenTask(term, 'a', map(0), 0);
    t.equal(await store.countFailure(term, 'a', map(0), 1, 'a9', 'w9'), 1);
    await store.close();
  });

  t.test('tasks are read in order, whole or by range', async (t) => {
    const { store, term } = await begin();
    await store.createJob(term, sampleSpec('a'));
    await store.createJob(term, sampleSpec('a-b'));
    const tasks: TaskId[] = [
      { step: 1, stage: 'finalize', index: 0 },
      { step: 1, stage: 'map', index: 2 },
      { step: 0, stage: 'reduce', index: 1 },
      ...[300, 2, 10, 0].map(map),
    ];
    await store.commitTasks(
      term,
      tasks.map((task) => ({ job: 'a', commit: sampleCommit(task, 0, 'x') })),
    );
    await store.commitTasks(term, [{ job: 'a-b', commit: sampleCommit(map(5), 0, 'x') }]);
    const names = (all: readonly { task: TaskId }[]): string[] => all.map(({ task }) => taskName(task));
    const range = async (step: number, stage: TaskId['stage'], from: number, count: number): Promise<string[]> =>
      names(await store.loadTasks('a', { step, stage, from, count }));
    const first = ['map-0', 'map-2', 'map-10', 'map-300', 'reduce-1'];
    t.same(names(await store.loadTasks('a')), [...first, 's1-map-2', 's1-finalize-0']);
    t.same(await range(0, 'map', 1, 2), ['map-2', 'map-10']);
    t.same(await range(0, 'map', 11, 9), ['map-300']);
    t.same(await range(0, 'reduce', 0, 9), ['reduce-1']);
    t.same(await range(1, 'map', 0, 9), ['s1-map-2']);
    await store.deleteJob(term, 'a');
    t.same(await store.loadTasks('a'), []);
    t.equal(await store.getJob('a'), null);
    t.same(names(await store.loadTasks('a-b')), ['map-5'], 'a neighbour in name is left alone');
    await store.close();
  });
}
