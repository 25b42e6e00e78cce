import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import t from 'tap';
import type { Commit } from '../../core/contracts/task.js';
import { commitUntilKilled } from './killed-writer.test.fixture.js';
import { sampleCommit, sampleSpec, stateStoreConformance } from './state-conformance.js';
import { LmdbStateStore } from './state-lmdb.js';
import { MemoryStateStore } from './state-memory.js';

const root = mkdtempSync(join(tmpdir(), 'daf-state-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));
let places = 0;

t.test('in memory', async (t) => {
  stateStoreConformance(t, async () => {
    const store = new MemoryStateStore();
    return { open: async () => store };
  });
});

t.test('lmdb', async (t) => {
  stateStoreConformance(t, async () => {
    const directory = join(root, String(places++));
    return { open: async () => new LmdbStateStore(directory) };
  });
});

t.test('lmdb: what was answered before a kill -9 is there', async (t) => {
  const directory = join(root, 'killed');
  const answered = await commitUntilKilled('./state-lmdb.js', `new stores.LmdbStateStore('${directory}')`);
  const store = new LmdbStateStore(directory);
  const tasks = await store.loadTasks('a');
  t.ok(answered >= 30);
  t.ok(tasks.length > answered, `${tasks.length} commits found, ${answered + 1} answered`);
  await store.close();
});

t.test('lmdb: what earlier versions wrote is read', async (t) => {
  const directory = join(root, 'earlier');
  const commits = [0, 1, 2, 3].map((index) => sampleCommit({ step: 0, stage: 'map', index }, 0, `map-${index}-g0-a1.1`));
  const [first, second, third, fourth] = commits as [Commit, Commit, Commit, Commit];
  const plain = { ...third, outcome: { ...third.outcome, counters: {} } };
  const numbers = { ...fourth, outcome: { ...fourth.outcome, counters: {} } };
  const { counters, recordsIn, skipped, intake, recordsOut } = second.outcome;
  const { records, coverage } = intake!;
  const usage = ['w', 0.25, 0, 0, 0];
  const done = (sums: unknown): unknown[] => [
    ...[null, [], sums, recordsIn, skipped, [records, coverage.bytes, coverage.seams], recordsOut, [], []],
  ];
  const db = open({ path: directory, noSubdir: false, encoding: 'msgpack', maxDbs: 2 });
  await db.put(['task', 'a', 0, 0, 0], { generation: 0, failures: ['x'], failedOn: ['w'], commit: first });
  await db.put(['task', 'a', 0, 0, 1], [0, [], [], [second.attempt, 1, 1, done(counters), ...usage]]);
  await db.put(['task', 'a', 0, 0, 2], [0, [], [], [plain.attempt, 1, 1, done(null), ...usage]]);
  const read = [recordsIn, skipped, recordsOut, 1 + records, coverage.bytes, coverage.seams];
  await db.put(['task', 'a', 0, 0, 3], [0, [], [], [null, 1, 1, read, ...usage]]);
  await db.close();
  const store = new LmdbStateStore(directory);
  const nothing = { generation: 0, failures: [], failedOn: [] };
  t.same(await store.loadTasks('a'), [
    { task: first.task, generation: 0, failures: ['x'], failedOn: ['w'], commit: first },
    { task: second.task, ...nothing, commit: second },
    { task: plain.task, ...nothing, commit: plain },
    { task: numbers.task, ...nothing, commit: numbers },
  ]);
  await store.close();
});

t.test('lmdb: commits come back as they were given', async (t) => {
  const store = new LmdbStateStore(join(root, 'forms'));
  const term = await store.beginTerm('test');
  await store.createJob(term, sampleSpec('a'));
  const of = (index: number, attempt: string, changes: Partial<Commit['outcome']>): Commit =>
    sampleCommit({ step: 0, stage: 'map', index }, 0, attempt, changes);
  const commits = [
    of(0, 'map-0-g0-a1.1', { counters: {} }),
    of(1, 'map-1-g0-a1.1', { counters: {}, intake: null, skipped: 3, recordsOut: 2 ** 45 }),
    of(2, 'another', { counters: {} }),
    of(3, 'map-3-g0-a1.1', { counters: {}, refused: [{ input: 'i', code: 'C', message: 'm', hint: null, refused: true }] }),
  ];
  await store.commitTasks(
    term,
    commits.map((commit) => ({ job: 'a', commit })),
  );
  t.same(
    (await store.loadTasks('a')).map(({ commit }) => commit),
    commits,
  );
  await store.close();
});

t.test('lmdb: many overlapping commits', async (t) => {
  const store = new LmdbStateStore(join(root, 'many'));
  const term = await store.beginTerm('test');
  await store.createJob(term, sampleSpec('a', {}, { splits: 10_000 }));
  const begun = performance.now();
  const verdicts = await Promise.all(
    Array.from({ length: 10_000 }, (_, index) =>
      store.commitTasks(term, [{ job: 'a', commit: sampleCommit({ step: 0, stage: 'map', index }, 0, 'x') }]),
    ),
  );
  t.ok(verdicts.flat().every((verdict) => verdict === 'committed'));
  t.comment(`${Math.round(10_000 / ((performance.now() - begun) / 1000))} durable commits/s`);
  t.equal((await store.loadTasks('a')).length, 10_000);
  await store.close();
});

t.test('lmdb: a full disk refuses commits and loses none', async (t) => {
  const at = mkdtempSync(join(tmpdir(), 'daf-full-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', at]).status === 0;
  t.teardown(() => {
    if (mounted) spawnSync('umount', [at]);
    rmSync(at, { recursive: true, force: true });
  });
  if (!mounted) {
    t.pass('', { skip: 'cannot mount a small file system here' });
    return;
  }
  // In a process of its own: lmdb says on stderr what it thinks of a full disk.
  const script = `
    import { execFileSync } from 'node:child_process';
    import { LmdbStateStore } from '${new URL('./state-lmdb.js', import.meta.url).href}';
    import { sampleCommit, sampleSpec } from '${new URL('./state-conformance.js', import.meta.url).href}';
    const at = process.argv[1];
    const commit = (index) => store.commitTasks(term, [{ job: 'a', commit: sampleCommit({ step: 0, stage: 'map', index }, 0, 'x') }]);
    const store = new LmdbStateStore(at + '/state');
    const term = await store.beginTerm('child');
    await store.createJob(term, sampleSpec('a'));
    let count = 0;
    let refused = null;
    while (refused === null && count < 10000) await commit(count).then(() => { count += 1; }, (error) => { refused = error; });
    const again = await commit(count).catch((error) => error);
    execFileSync('mount', ['-o', 'remount,size=4m', at]);
    const later = await commit(count);
    const found = (await store.loadTasks('a')).length;
    await store.close();
    console.log(JSON.stringify({ count, code: refused.code, retryable: refused.retryable, again: again.code, later, found }));`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script, at]);
  const seen = JSON.parse(run.stdout.toString().trim() || '{}') as { count: number; found: number };
  t.equal(run.status, 0, 'no unhandled rejection ended it');
  t.match(seen, { code: 'ERR_DAF_IO', retryable: true, again: 'ERR_DAF_IO', later: ['committed'] });
  t.ok(seen.count > 10);
  t.equal(seen.found, seen.count + 1, 'what was answered, and the one after there was room');
});

t.test('lmdb: a file that is no state is refused, and stays as it is', async (t) => {
  const directory = join(root, 'strange');
  mkdirSync(directory);
  const file = join(directory, 'data.mdb');
  for (const bytes of ['x', 'not a database. '.repeat(1000)]) {
    writeFileSync(file, bytes);
    t.throws(() => new LmdbStateStore(directory), { code: 'ERR_DAF_BAD_DATA', message: /data\.mdb is no state/ });
    t.equal(readFileSync(file, 'utf8'), bytes);
  }
  writeFileSync(file, '');
  const store = new LmdbStateStore(directory);
  t.equal(await store.beginTerm('one'), 1, 'an empty one, as a crash may leave it, is begun');
  await store.close();
  const again = new LmdbStateStore(directory);
  t.equal(await again.currentTerm(), 1);
  await again.close();
});

t.test('lmdb: an unusable directory is a clear error', async (t) => {
  const file = join(root, 'file');
  writeFileSync(file, '');
  t.throws(() => new LmdbStateStore(join(file, 'state')), { code: 'ERR_DAF_IO' });
  const closed = new LmdbStateStore(join(root, 'closed'));
  await closed.close();
  await t.rejects(closed.getJob('a'), { code: 'ERR_DAF_CLOSED' });
  chmodSync(file, 0o600);
});
