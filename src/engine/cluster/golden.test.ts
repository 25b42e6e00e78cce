import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  countWords,
  manifestBytes,
  sampleText,
  sharedData,
  sortedLines,
  sortLines,
  temporaryDirectory,
  writeFiles,
} from '../../testing/engine-fixture.js';
import { SHIPPED_JOBS } from '../jobs/shipped.js';
import { Cluster } from './cluster.js';

const wordcount = SHIPPED_JOBS['wordcount']!;
const invertedIndex = SHIPPED_JOBS['inverted-index']!;

t.test('word count of generated text: 1, 2 and 4 workers, any split size, the same bytes', async (t) => {
  const folder = temporaryDirectory(t);
  const texts = Array.from({ length: 3 }, (_, i) => sampleText(700 + 400 * i, i + 1));
  writeFiles(folder, { 'a.txt': texts[0]!, 'b.txt': texts[1]!, 'c.txt': texts[2]!, 'empty.txt': '' });
  const expected = countWords(texts);
  const lines = texts.reduce(
    (sum, text) => sum + text.split('\n').filter((line, i, all) => i < all.length - 1 || line !== '').length,
    0,
  );
  const manifests = new Set<string>();
  for (const workers of [1, 2, 4]) {
    await using cluster = await Cluster.local({ workers });
    for (const splitSize of [1000, 7919, 1 << 20]) {
      const output = join(folder, `out-${workers}-${splitSize}`);
      const job = await cluster.submit(wordcount, { input: `${folder}/*.txt`, output, reducers: 3, splitSize, separator: ' ' });
      const result = await job.result();
      t.equal(await sortedLines(result), expected, `${workers} workers, splits of ${splitSize}`);
      t.equal(result.manifest.inputs.records, lines);
      if (splitSize === 7919) manifests.add(manifestBytes(result));
    }
  }
  t.equal(manifests.size, 1, 'the number of workers changes no byte of the manifest');
});

t.test('documents have the names that were typed', async (t) => {
  const folder = temporaryDirectory(t);
  mkdirSync(join(folder, 'sub'));
  writeFiles(folder, { 'pg-b.txt': 'beta alpha\nalpha', 'pg-a.txt': 'alpha' });
  await using cluster = await Cluster.local({ workers: 1 });
  const job = await cluster.submit(invertedIndex, {
    input: '../pg-*.txt',
    output: 'out',
    cwd: join(folder, 'sub'),
    separator: ' ',
  });
  t.equal(await sortedLines(await job.result()), 'alpha 2 ../pg-a.txt,../pg-b.txt\nbeta 1 ../pg-b.txt\n');
});

t.test('eight books: the expected outputs, byte for byte', async (t) => {
  const shared = sharedData();
  if (shared === null) {
    t.pass('skipped: no ../shared/data', { skip: 'no ../shared/data' });
    return;
  }
  const folder = temporaryDirectory(t);
  mkdirSync(join(folder, 'sub'));
  for (const book of readdirSync(join(shared, 'text/pg'))) copyFileSync(join(shared, 'text/pg', book), join(folder, book));
  for (const workers of [1, 2, 4]) {
    await using cluster = await Cluster.local({ workers });
    const options = { input: '../pg-*.txt', cwd: join(folder, 'sub'), separator: ' ', splitSize: 300_000 };
    const [words, index] = await Promise.all([
      cluster.submit(wordcount, { ...options, output: `words-${workers}` }),
      cluster.submit(invertedIndex, { ...options, output: `index-${workers}` }),
    ]);
    t.ok((await sortedLines(await words.result())) === golden(shared, 'wc'), `word count, ${workers} workers`);
    t.ok((await sortedLines(await index.result())) === golden(shared, 'indexer'), `indexer, ${workers} workers`);
  }
});

function golden(shared: string, name: string): string {
  return sortLines(
    readFileSync(join(shared, `text/golden/${name}.LC_ALL_C.txt`), 'utf8')
      .trimEnd()
      .split('\n'),
  );
}
