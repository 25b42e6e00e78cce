import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { countWords, sortedLines, temporaryDirectory } from '../../testing/engine-fixture.js';
import { s3Program } from '../../testing/s3-server.js';
import { SHIPPED_JOBS } from '../jobs/shipped.js';
import { openBlobStore } from '../stores/open-blob.js';
import { Cluster } from './cluster.js';
import { startS3 } from './s3.test.fixture.js';

const skip = s3Program() === null ? 'no S3 server (versitygw or moto_server)' : false;
const program = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
const wordcount = SHIPPED_JOBS['wordcount']!;

async function keysBelow(url: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of openBlobStore(url).list('')) keys.push(key);
  return keys;
}

t.test('inputs, attempts and results in buckets: the same bytes as in directories', { skip, timeout: 120_000 }, async (t) => {
  const texts = await startS3(t);
  await using cluster = await Cluster.local({ workers: 2 });
  const options = { reducers: 3, splitSize: 7919, separator: ' ' };
  const input = ['s3://books/shelf/**/*.txt', 's3://books/shelf/c.txt.gz'];
  const job = await cluster.submit(wordcount, { ...options, input, output: 's3://results/run 1/counts' });
  const result = await job.result();
  t.equal(await sortedLines(result), countWords(texts));
  t.match(await result.report(), { tasks: [{}] });

  const local = await cluster.submit(wordcount, { ...options, input, output: join(temporaryDirectory(t), 'counts') });
  const [ours, theirs] = [(await local.result()).manifest, result.manifest];
  t.same({ ...ours, job: '' }, { ...theirs, job: '' }, 'the manifest does not tell where');
  const stored = await cluster.submit(wordcount, { ...options, input, output: 's3://results/stored', intermediate: 'blob' });
  t.same({ ...(await stored.result()).manifest, job: '' }, { ...ours, job: '' }, 'nor where maps left their outputs');
  while ((await keysBelow('s3://results/stored/_daf')).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  while ((await keysBelow('s3://results/run 1/counts/_daf')).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  const parts = ['part-r-00000', 'part-r-00001', 'part-r-00002', 'report.json'];
  t.same(
    (await keysBelow('s3://results/run 1/counts')).filter((key) => !key.startsWith('_replay/')),
    ['manifest.json', ...parts],
  );

  const verified = spawnSync(process.execPath, [program, 'verify', 's3://results/run 1/counts', '--json']);
  t.match(JSON.parse(verified.stdout.toString()), { problems: [] }, verified.stderr.toString());
  await openBlobStore('s3://results/run 1/counts').put('part-r-00001', Buffer.from('changed\n'));
  const damaged = spawnSync(process.execPath, [program, 'verify', 's3://results/run 1/counts']);
  t.match(damaged.stderr.toString(), /ERR_DAF_VERIFY.*part-r-00001/);

  const again = { ...options, input: 's3://books/shelf/a.txt', output: 's3://results/run 1/counts' };
  await t.rejects(cluster.submit(wordcount, again), { code: 'ERR_DAF_OUTPUT_EXISTS' });
  const replaced = await (await cluster.submit(wordcount, { ...again, overwrite: true })).result();
  t.equal(await sortedLines(replaced), countWords(texts.slice(0, 1)));
  await t.rejects(cluster.submit(wordcount, { ...again, output: 's3://results/new', input: 's3://books/none/*.txt' }), {
    code: 'ERR_DAF_NO_INPUT',
  });
  t.same(await keysBelow('s3://results/new'), [], 'nothing is left of what never began');
});
