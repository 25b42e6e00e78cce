import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FAILPOINTS } from '../../core/failpoint.js';
import {
  countWords,
  manifestBytes,
  sampleText,
  sortedLines,
  temporaryDirectory,
  writeFiles,
} from '../../testing/engine-fixture.js';
import { SHIPPED_JOBS } from '../jobs/shipped.js';
import { Cluster } from './cluster.js';

const text = sampleText(4000, 11);
const expected = countWords([text]);

async function count(cluster: Cluster, folder: string, output: string): Promise<{ manifest: string; lines: string }> {
  const job = await cluster.submit(SHIPPED_JOBS['wordcount']!, {
    input: join(folder, 'words.txt'),
    output: join(folder, output),
    reducers: 3,
    splitSize: 8000,
    separator: ' ',
    params: { finalize: 'no' },
  });
  const result = await job.result();
  return { manifest: manifestBytes(result), lines: await sortedLines(result) };
}

t.test('a worker killed at any fail point loses nothing and counts nothing twice', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'words.txt': text });
  let undisturbed = '';
  {
    await using cluster = await Cluster.local({ workers: 2 });
    const { manifest, lines } = await count(cluster, folder, 'undisturbed');
    t.equal(lines, expected);
    undisturbed = manifest;
  }
  const points = FAILPOINTS.filter((name) => /^(worker|task)\./.test(name) && name !== 'task.finalize');
  for (const [i, name] of points.entries()) {
    const once = join(folder, `once-${i}`);
    const env = { DAF_FAILPOINT: `${name}:1:kill`, DAF_FAILPOINT_ONCE: once };
    // A worker that dies before its first welcome is no start at all: that one fails later.
    if (name === 'worker.hello') env.DAF_FAILPOINT = 'worker.heartbeat:2:kill';
    await using cluster = await Cluster.local({ workers: 2, env, heartbeatMs: 100, leaseMs: 1500 });
    const { manifest } = await count(cluster, folder, `out-${i}`);
    // Heartbeats come with time, not with work: a quick job may be over before the second one.
    if (name !== 'worker.heartbeat' && name !== 'worker.hello') t.ok(existsSync(once), `${name} was passed`);
    t.equal(manifest, undisturbed, `${name}: the same manifest`);
  }
});

t.test('workers killed at random moments', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'words.txt': text });
  const manifests = new Set<string>();
  await using cluster = await Cluster.local({ workers: 2, heartbeatMs: 100, leaseMs: 1500 });
  for (let round = 0; round < 4; round++) {
    let stop = false;
    const killer = (async () => {
      for (let i = 0; i < 2 && !stop; i++) {
        await new Promise((resolve) => setTimeout(resolve, 40 + 97 * round + 150 * i));
        const pids = (await cluster.workers()).map(({ pid }) => pid);
        if (pids.length > 0 && !stop) process.kill(pids[(round + i) % pids.length]!, 'SIGKILL');
      }
    })();
    const { manifest, lines } = await count(cluster, folder, `round-${round}`);
    stop = true;
    await killer.catch(() => {}); // a worker that has gone already
    t.equal(lines, expected, `round ${round}`);
    manifests.add(manifest);
  }
  t.equal(manifests.size, 1);
});
