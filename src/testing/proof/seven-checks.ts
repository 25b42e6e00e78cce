import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { countWords, sortLines } from '../engine-fixture.js';
import { ByHand } from './by-hand.js';

const REDUCERS = 10;
const WORKERS = 3;

export interface ChecksInput {
  readonly folder: string;
  /** Documents that lie in `folder`, eight of them, as `*.txt`. */
  readonly documents: Readonly<Record<string, string>>;
  /** What the original checks call a second, ms. */
  readonly pauseMs: number;
}

/**
 * The seven checks of lab 1 of MIT's distributed systems course (6.5840): word count, indexer, map parallelism, reduce parallelism, job
 * count, early exit, crash. From outside: a coordinator, workers and clients as processes, judged by the files they leave.
 */
export async function sevenChecks(t: Test, { folder, documents, pauseMs }: ChecksInput): Promise<void> {
  // A lease that no busy machine lets end: here nothing fails.
  const cluster = new ByHand(t, folder, { leaseMs: 60_000 });
  await cluster.startCoordinator();
  for (let i = 0; i < WORKERS; i++) cluster.startWorker();
  await cluster.workersReady(WORKERS);

  /** Runs a job with every document as a task of its own; gives its lines in byte order. */
  const lines = async (job: string, name: string, more: readonly string[] = []): Promise<string> => {
    const params = ['--param', `folder=${join(folder, 'marks')}`, '--param', `pause=${pauseMs}`];
    const common = ['--input', '*.txt', '--output', name, '--reducers', String(REDUCERS), '--separator', ' '];
    const ended = await cluster.submit(job, [...common, '--split-size', '1MB', ...params, ...more]);
    if (ended.how !== 0) throw new Error(`${name} ended with ${ended.how}: ${ended.stderr}`);
    return parts(join(folder, name));
  };
  const own = (name: string): string => fileURLToPath(new URL(`./checks/${name}.js`, import.meta.url));
  const texts = Object.values(documents);

  await t.test('word count', async (t) => t.ok((await lines('wordcount', 'wc')) === countWords(texts)));

  await t.test('indexer', async (t) => t.ok((await lines('inverted-index', 'indexer')) === index(documents)));

  await t.test('map parallelism', async (t) => {
    const found = await lines(own('map-timing'), 'map-timing', ['--split-size', '1']);
    t.equal(found.match(/^process-/gm)?.length, WORKERS, 'every worker mapped');
    t.match(found, new RegExp(`^parallel-[2-${WORKERS}] `, 'm'), 'at the same time');
  });

  await t.test('reduce parallelism', async (t) => {
    const found = await lines(own('reduce-timing'), 'reduce-timing');
    t.equal(found.match(/^[a-j] /gm)?.length, 10);
    t.ok((found.match(new RegExp(`^[a-j] [2-${WORKERS}]$`, 'gm'))?.length ?? 0) >= 2, `reduces ran beside each other: ${found}`);
  });

  await t.test('job count', async (t) => {
    t.equal(await lines(own('job-count'), 'job-count', ['--split-size', '1']), `a ${texts.length}\n`);
    t.equal(readdirSync(join(folder, 'marks/calls')).length, texts.length, 'no map was called twice');
  });

  await t.test('early exit', async (t) => {
    t.ok((await lines(own('early-exit'), 'early-exit')) === countWords(texts), 'all of it is there when the client ends');
    t.same(cluster.ends, [], 'no process of the cluster ended meanwhile');
    const before = parts(join(folder, 'early-exit'));
    await cluster.stop();
    t.ok(parts(join(folder, 'early-exit')) === before, 'and nothing comes later');
  });

  await t.test('crash', async (t) => {
    const wild = new ByHand(t, folder);
    await wild.startCoordinator();
    for (let i = 0; i < WORKERS; i++) wild.keepWorker();
    // A call that ends its process costs an attempt too: with four of them one job in eight would rightly fail.
    const common = ['--input', '*.txt', '--output', 'crash', '--separator', ' ', '--reducers', String(REDUCERS)];
    const ended = await wild.submit(own('crash'), [
      ...common,
      ...['--split-size', '1', '--max-attempts', '40', '--param', `pause=${pauseMs}`],
    ]);
    t.equal(ended.how, 0, ended.how === 0 ? 'it ended well' : ended.stderr);
    t.equal(parts(join(folder, 'crash')), crashed(documents));
  });
}

/** All lines of all parts, in byte order. */
function parts(folder: string): string {
  const names = readdirSync(folder).filter((name) => name.startsWith('part-'));
  return sortLines(names.flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1)));
}

function index(documents: Readonly<Record<string, string>>): string {
  const where = new Map<string, string[]>();
  for (const name of Object.keys(documents).sort())
    for (const word of new Set(documents[name]!.match(/[A-Za-z]+/g))) {
      const names = where.get(word);
      if (names === undefined) where.set(word, [name]);
      else names.push(name);
    }
  return sortLines([...where].map(([word, names]) => `${word} ${names.length} ${names.join(',')}`));
}

/** What the crashing job gives when nothing crashes. */
function crashed(documents: Readonly<Record<string, string>>): string {
  const all = (of: (name: string) => string): string => Object.keys(documents).map(of).sort().join(' ');
  const bytes = (name: string): string => String(Buffer.byteLength(documents[name]!));
  return `a ${all((name) => name)}\nb ${all((name) => String(name.length))}\nc ${all(bytes)}\nd ${all(() => 'xyzzy')}\n`;
}
