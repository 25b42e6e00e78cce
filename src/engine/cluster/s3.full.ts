import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { countWords, sortedLines, temporaryDirectory } from '../../testing/engine-fixture.js';
import { s3Program } from '../../testing/s3-server.js';
import { SHIPPED_JOBS } from '../jobs/shipped.js';
import { openBlobStore } from '../stores/open-blob.js';
import { Cluster } from './cluster.js';
import { startS3 } from './s3.test.fixture.js';

const skip = s3Program() === null ? 'no S3 server (versitygw or moto_server)' : false;
const wordcount = SHIPPED_JOBS['wordcount']!;

t.test('a coordinator killed while it publishes to a bucket goes on', { skip, timeout: 600_000 }, async (t) => {
  const texts = await startS3(t);
  const folder = temporaryDirectory(t);
  let manifest: Buffer | null = null;
  const points = ['', 'published-file:2', 'before-manifest:1', 'after-manifest:1'];
  for (const point of points) {
    const once = join(folder, point === '' ? 'none' : point);
    const env = point === '' ? {} : { DAF_FAILPOINT: `coordinator.${point}:kill`, DAF_FAILPOINT_ONCE: once };
    await using cluster = await Cluster.local({ workers: 1, heartbeatMs: 50, leaseMs: 1000, env });
    const output = `s3://results/${point === '' ? 'undisturbed' : point.replace(':', '-')}`;
    const input = 's3://books/shelf/a.txt';
    const job = await cluster.submit(wordcount, { input, output, reducers: 3, splitSize: 20_000, separator: ' ' });
    const result = await job.result();
    t.equal(await sortedLines(result), countWords(texts.slice(0, 1)), point);
    if (point !== '') t.ok(existsSync(once), `${point} was passed`);
    const bytes = Buffer.from(await openBlobStore(output).get('manifest.json'));
    const withoutId = Buffer.from(bytes.toString().replaceAll(job.id, ''));
    manifest ??= withoutId;
    t.ok(withoutId.equals(manifest), `${point}: the same manifest`);
  }
});
