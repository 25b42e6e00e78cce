import t from 'tap';
import { RedisServer, redisProgram } from '../../../testing/redis-server.js';
import { commitUntilKilled } from '../killed-writer.test.fixture.js';
import { openStateStore } from '../open.js';
import { sampleCommit, sampleSpec, stateStoreConformance } from '../state-conformance.js';
import { inspectRedis } from './inspect.js';
import { parseRedisUrl } from './place.js';
import { RedisStateStore } from './state-redis.js';

const skip = redisProgram() === null ? 'no redis-server' : false;
const map = (index: number) => ({ step: 0, stage: 'map', index }) as const;
const commits = (index: number, attempt = 'x') => [{ job: 'a', commit: sampleCommit(map(index), 0, attempt) }];

t.test('addresses', async (t) => {
  t.match(parseRedisUrl('redis://h'), { host: 'h', port: 6379, db: 0, password: null, tls: false, prefix: 'daf', replicas: 0 });
  const full = parseRedisUrl('valkeys://me:p%40ss@[::1]:7000/3?prefix=team.a&replicas=2');
  t.match(full, { host: '::1', port: 7000, db: 3, username: 'me', password: 'p@ss', tls: true, prefix: 'team.a', replicas: 2 });
  t.equal(full.shown, 'valkeys://[::1]:7000/3');
  const wrong = [
    'redis://',
    'redis://:secret@h/x',
    'redis://:secret@h?a=1',
    'redis://:secret@h?prefix={}',
    'redis://:secret@h?replicas=-1',
  ];
  for (const url of wrong) {
    t.throws(() => parseRedisUrl(url), { code: 'ERR_DAF_BAD_OPTION', message: /^(?!.*secret)/ }, url);
  }
});

t.test('conformance', { skip }, async (t) => {
  const server = await RedisServer.start(t);
  let places = 0;
  stateStoreConformance(t, async () => {
    const url = `${server.url}?prefix=place-${places++}`;
    return { open: () => openStateStore(url) };
  });
});

t.test('terms follow the clock: none comes twice, even when all is lost', { skip }, async (t) => {
  const server = await RedisServer.start(t);
  const [first, second] = [await RedisStateStore.open(server.url), await RedisStateStore.open(server.url)];
  const before = await first.beginTerm('one');
  t.ok(Math.abs(before - Date.now()) < 60_000);
  await server.ask('FLUSHALL');
  t.ok((await second.beginTerm('two')) > before);
  await first.close();
  await second.close();
});

t.test('a server that lost writes is left alone', { skip }, async (t) => {
  const server = await RedisServer.start(t);
  const store = await RedisStateStore.open(server.url);
  const term = await store.beginTerm('test');
  await store.createJob(term, sampleSpec('a'));
  t.same(await store.commitTasks(term, commits(0)), ['committed']);
  await server.ask('FLUSHALL');
  const lost = { code: 'ERR_DAF_FENCED', retryable: true };
  await t.rejects(store.currentTerm(), lost);
  await t.rejects(store.commitTasks(term, commits(1)), lost);
  t.match(await server.ask('DBSIZE'), /^:0\r/, 'and nothing was written');
  await store.close();

  const next = await RedisStateStore.open(server.url);
  const nextTerm = await next.beginTerm('next');
  t.ok(nextTerm > term, 'whoever starts anew goes on');
  t.equal(await next.createJob(nextTerm, sampleSpec('a')), 'created');
  await next.close();
});

t.test('a promoted replica that had not got everything is noticed', { skip }, async (t) => {
  const primary = await RedisServer.start(t);
  const replica = await RedisServer.start(t, ['--replicaof', '127.0.0.1', String(primary.port)]);
  await until(async () => (await replica.ask('INFO replication')).includes('master_link_status:up'));
  const store = await RedisStateStore.open(`${primary.url}?replicas=1`);
  const term = await store.beginTerm('test');
  await store.createJob(term, sampleSpec('a'));
  await t.rejects(RedisStateStore.open(replica.url), { code: 'ERR_DAF_UNSUPPORTED' }, 'a replica is refused');
  await replica.ask('REPLICAOF NO ONE'); // cut off: what follows never reaches it
  const commit = store.commitTasks(term, commits(0));
  await t.rejects(commit, { code: 'ERR_DAF_IO', retryable: true }, 'written, but not where it was to be');
  await primary.kill();
  await replica.kill();
  await RedisServer.start(t, [], { port: primary.port, directory: replica.directory }); // the failover
  const seen = async (): Promise<string> => store.currentTerm().then(String, (error) => error.code);
  await until(async () => (await seen()) !== 'ERR_DAF_IO');
  t.equal(await seen(), 'ERR_DAF_FENCED');
  await store.close();
  const after = await RedisStateStore.open(primary.url);
  t.equal(await after.currentTerm(), term, 'the term had arrived, the commit had not');
  t.same(await after.loadTasks('a'), []);
  await after.close();
});

t.test('kill -9 of the server: answered commits are there, the rest is told as not written or stands', { skip }, async (t) => {
  const server = await RedisServer.start(t);
  const store = await RedisStateStore.open(server.url);
  const term = await store.beginTerm('test');
  await store.createJob(term, sampleSpec('a'));
  const answered: number[] = [];
  const refused: string[] = [];
  const flood = (async () => {
    for (let from = 0; from < 2000; from += 50) {
      const batch = Array.from({ length: 50 }, (_, i) => from + i);
      await Promise.all(
        batch.map((index) =>
          store.commitTasks(term, commits(index)).then(
            () => answered.push(index),
            (error) => refused.push(error.code),
          ),
        ),
      );
    }
  })();
  await until(async () => answered.length >= 300);
  await server.kill();
  await flood;
  t.ok(refused.length > 0 && refused.every((code) => code === 'ERR_DAF_IO'), 'nothing waits for ever');
  await server.start();
  await until(() =>
    store.currentTerm().then(
      () => true,
      () => false,
    ),
  );
  const stored = new Set((await store.loadTasks('a')).map(({ task }) => task.index));
  t.same(
    answered.filter((index) => !stored.has(index)),
    [],
    'the connection came back, nothing answered is gone',
  );
  t.same(await store.commitTasks(term, commits(5000)), ['committed']);
  await store.close();
});

t.test('kill -9 of a writer: what was answered before is there', { skip }, async (t) => {
  const server = await RedisServer.start(t);
  const last = await commitUntilKilled('./redis/state-redis.js', `stores.RedisStateStore.open('${server.url}')`);
  const store = await RedisStateStore.open(server.url);
  t.ok((await store.loadTasks('a')).length > last && last >= 30);
  await store.close();
});

t.test('scripts that the server forgot are sent again; large jobs are read in pages', { skip }, async (t) => {
  const server = await RedisServer.start(t);
  const store = await RedisStateStore.open(server.url);
  const term = await store.beginTerm('test');
  await store.createJob(term, sampleSpec('a'));
  await store.commitTasks(term, commits(0));
  await server.ask('SCRIPT FLUSH');
  await store.commitTasks(
    term,
    Array.from({ length: 4500 }, (_, i) => commits(i + 1)[0]!),
  );
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      store.commitTasks(
        term,
        Array.from({ length: 32 }, (_, k) => commits(5000 + 32 * i + k)[0]!),
      ),
    ),
  );
  t.comment(`${Math.round(3200 / ((performance.now() - begun) / 1000))} commits/s in batches of 32, appendfsync always`);
  t.same(
    (await store.loadTasks('a')).map(({ task }) => task.index).slice(0, 4501),
    Array.from({ length: 4501 }, (_, i) => i),
  );
  t.equal((await store.loadTasks('a', { step: 0, stage: 'map', from: 100, count: 3000 })).length, 3000);
  await store.close();
  await t.rejects(store.getJob('a'), { code: 'ERR_DAF_CLOSED' });
});

t.test('servers that may lose what they acknowledged are refused, with what to do', { skip }, async (t) => {
  const refused: [string, string[], RegExp][] = [
    ['no append-only file', ['--appendonly', 'no'], /appendonly yes/],
    ['eviction', ['--maxmemory-policy', 'allkeys-lru'], /noeviction/],
    ['no fsync', ['--appendfsync', 'no'], /appendfsync always/],
    ['cluster mode', ['--cluster-enabled', 'yes'], /server of its own/],
  ];
  for (const [name, args, hint] of refused) {
    const server = await RedisServer.start(t, args);
    await t.rejects(openStateStore(server.url), { code: 'ERR_DAF_UNSUPPORTED', hint }, name);
    await server.kill();
  }
  const server = await RedisServer.start(t, ['--appendfsync', 'everysec', '--requirepass', 'sesame']);
  const warnings: string[] = [];
  const withPassword = server.url.replace('//', '//:sesame@');
  const store = await openStateStore(withPassword, (warning) => warnings.push(warning));
  t.match(warnings, [/everysec/]);
  await store.beginTerm('x');
  await store.close();
  const found = await inspectRedis(withPassword);
  t.match(found, { facts: { appendFsync: 'everysec', role: 'master' }, jobs: 0, warnings: [/everysec/] });
  t.notMatch(JSON.stringify(found), /sesame/);
  for (const url of [server.url, server.url.replace('//', '//:open@')]) {
    await t.rejects(openStateStore(url), { code: 'ERR_DAF_PERMISSION', message: /^(?!.*open@)/ });
  }
  await t.rejects(openStateStore(`${withPassword}?replicas=1`), { code: 'ERR_DAF_UNSUPPORTED', hint: /replicas/ });
});

async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 10));
}
