import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import t from 'tap';
import { Cluster } from '../../engine/cluster/cluster.js';
import { SHIPPED_JOBS } from '../../engine/jobs/shipped.js';
import { sampleText, sharedData, temporaryDirectory } from '../engine-fixture.js';
import { ByHand } from './by-hand.js';
import { bigValues, checkSorted, manyReducers, oneKey, tinyFiles } from './bytes.js';

const LIMIT = 512 << 20;
const shared = sharedData();
const wordcount = SHIPPED_JOBS['wordcount']!;

t.test('large sizes on two workers of 512 MB', { timeout: 3_600_000 }, async (t) => {
  await using cluster = await Cluster.local({ workers: 2, memory: LIMIT });
  await t.test('10 million equal keys', (t) => oneKey(t, cluster, 10_000_000));
  await t.test('a value of 200 MB', (t) => bigValues(t, cluster, [0, 200 << 20], LIMIT));
  await t.test('1,000 reducers', (t) => manyReducers(t, cluster, wordcount, sampleText(2000, 3), 1000));
  await t.test('10,000 tiny files', (t) => tinyFiles(t, cluster, temporaryDirectory(t), wordcount, 10_000));
});

// Sums of the records' CRC-32, as the generator of the files states them.
const SUMS = { 'gensort_bin20k.dat': '271f1b056e54', 'gensort_asc20k.dat': '2715a7637eee' } as const;

t.test(
  'daf run sort of sort-benchmark records',
  { skip: shared === null && 'no ../shared/data', timeout: 600_000 },
  async (t) => {
    const folder = temporaryDirectory(t);
    const machine = new ByHand(t, folder);
    for (const [name, sum] of Object.entries(SUMS)) {
      const input = join(shared!, 'records', name);
      const sort = ['run', 'sort', '--input', input, '--output', name, '--param', 'record=100', '--param', 'key=10'];
      const ended = await machine.daf([...sort, '--reducers', '5', '--split-size', '300000', '--workers', '2']);
      t.equal(ended.how, 0, ended.how === 0 ? 'it ended well' : ended.stderr);
      const sorted = checkSorted(t, readFileSync(input), join(folder, name), 100, 10);
      let total = 0;
      for (let at = 0; at < sorted.length; at += 100) total += crc32(sorted.subarray(at, at + 100));
      t.equal(total.toString(16), sum, 'the sum of the records’ checksums');
      t.equal((await machine.daf(['verify', name])).how, 0);
    }
  },
);
