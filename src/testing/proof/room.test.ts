import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { JobStatus } from '../../core/contracts/job.js';
import { temporaryDirectory, writeFiles } from '../engine-fixture.js';
import { ByHand } from './by-hand.js';

const LARGE_TASKS = fileURLToPath(new URL('./checks/large-tasks.js', import.meta.url));
const PATIENCE_MS = 30_000;

t.test('a job that no worker has room for says so wherever one looks, and gets done by a larger worker', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'words.txt': 'one two three\nfour five\n' });
  const cluster = new ByHand(t, folder);
  const coordinator = await cluster.startCoordinator();
  cluster.startWorker({ args: ['--memory', '256MB'] });
  await cluster.workersReady(1);
  const ended = cluster.submit(LARGE_TASKS, ['--input', 'words.txt', '--output', 'out', '--separator', ' ', '--reducers', '1']);
  let over = false;
  void ended.then(() => {
    over = true;
  });
  await using client = await cluster.client();
  let seen: JobStatus | undefined;
  for (const begun = Date.now(); seen?.waiting == null && !over && Date.now() - begun < PATIENCE_MS; await sleep(50)) {
    [seen] = await client.jobs();
  }
  t.match(seen, { phase: 'running', waiting: { code: 'ERR_DAF_NO_ROOM' } });
  const why = /ERR_DAF_NO_ROOM: a map task needs 224 MB; the only worker has 168 MB for tasks \(256 MB in all, 1 thread\)/;
  const status = await cluster.ask(['status', seen!.id]);
  t.match(status.stdout, why, 'daf status');
  t.match(status.stdout, /a worker of at least 312 MB \(--memory\)/);
  t.match(JSON.parse((await cluster.ask(['status', seen!.id, '--json'])).stdout), { waiting: { code: 'ERR_DAF_NO_ROOM' } });
  t.match(
    cluster.log(coordinator),
    /warn: a job waits \(job large-tasks-.*; code ERR_DAF_NO_ROOM; error a map task needs 224 MB/,
  );
  cluster.startWorker({ args: ['--memory', '320MB'] });
  const { how, stderr } = await ended;
  t.equal(how, 0, how === 0 ? 'it gets done' : stderr);
  t.match(stderr, why, 'whoever waits for the job has read it too');
  t.match(cluster.log(coordinator), /info: a job that waited for room goes on/);
  t.equal(readFileSync(join(folder, 'out', 'part-r-00000'), 'utf8'), '3 2\n4 2\n5 1\n');
});
