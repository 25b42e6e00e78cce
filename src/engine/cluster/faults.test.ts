import { existsSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FAILPOINTS } from '../../core/failpoint.js';
import {
  countWords,
  manifestBytes,
  sampleText,
  sortedLines,
  temporaryDirectory,
  writeFiles,
} from '../../testing/engine-fixture.js';
import { defineJob } from '../jobs/define.js';
import { Cluster } from './cluster.js';

const text = sampleText(2500, 11);
const expected = countWords([text]);

const words = defineJob({
  name: 'words',
  map({ value }, emit) {
    for (const word of value.match(/[A-Za-z]+/g) ?? []) emit(word, '1');
  },
  combine(word, counts, emit) {
    emit(word, String([...counts].reduce((sum, count) => sum + Number(count), 0)));
  },
  reduce(word, counts, emit) {
    emit(word, String([...counts].reduce((sum, count) => sum + Number(count), 0)));
  },
  async finalize(context) {
    const parts = context.outputs.map(({ name, bytes, records }) => `${name} ${bytes} ${records}`);
    await context.files.put('parts.txt', parts.join('\n'));
  },
});

async function count(cluster: Cluster, folder: string, output: string): Promise<{ manifest: string; lines: string }> {
  const input = join(folder, 'words.txt');
  const options = { input, output: join(folder, output), reducers: 3, splitSize: 12_000, separator: ' ' };
  const result = await (await cluster.submit(words, options)).result();
  return { manifest: manifestBytes(result), lines: await sortedLines(result) };
}

const quick = { workers: 2, heartbeatMs: 100, leaseMs: 1500 };

/** The manifest of a run in which nothing goes wrong. */
async function undisturbed(t: Test, folder: string): Promise<string> {
  writeFiles(folder, { 'words.txt': text });
  await using cluster = await Cluster.local(quick);
  const { manifest, lines } = await count(cluster, folder, 'undisturbed');
  t.equal(lines, expected);
  return manifest;
}

async function killAt(t: Test, folder: string, name: string, at: number, wanted: string): Promise<void> {
  const once = join(folder, `once-${name}`);
  await using cluster = await Cluster.local({ ...quick, env: { DAF_FAILPOINT: `${name}:${at}:kill`, DAF_FAILPOINT_ONCE: once } });
  const { manifest } = await count(cluster, folder, `out-${name}`);
  // Heartbeats come with time, not with work: a quick job may be over before.
  if (name !== 'worker.heartbeat') t.ok(existsSync(once), `${name} was passed`);
  t.equal(manifest, wanted, `${name}: the same manifest`);
}

t.test('a worker killed at any fail point loses nothing and counts nothing twice', async (t) => {
  const folder = temporaryDirectory(t);
  const wanted = await undisturbed(t, folder);
  // One that dies before its first welcome is no worker yet.
  const points = FAILPOINTS.filter((name) => /^(worker|task)\./.test(name) && name !== 'worker.hello');
  for (const name of points) await killAt(t, folder, name, name === 'task.map-record' ? 40 : 1, wanted);
});

t.test('a coordinator killed at any fail point is started again and goes on', async (t) => {
  const folder = temporaryDirectory(t);
  const wanted = await undisturbed(t, folder);
  const early = ['coordinator.start', 'coordinator.loaded', 'coordinator.cancel']; // before the start, or not on this way
  const points = FAILPOINTS.filter((name) => name.startsWith('coordinator.') && !early.includes(name));
  for (const name of points) await killAt(t, folder, name, 1, wanted);
});

t.test('an intermediate file that is damaged or lost is made again', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'words.txt': text });
  const dataDir = join(folder, 'cluster');
  await using cluster = await Cluster.local({ ...quick, dataDir });
  const options = { input: join(folder, 'words.txt'), reducers: 3, splitSize: 12_000, separator: ' ' };
  const job = await cluster.submit(words, { ...options, output: join(folder, 'damaged') });
  let damaged = 0;
  let lost = 0;
  for await (const event of job.progress()) {
    if (event.kind === 'attempt-failed') lost += event.lost.length;
    if (event.kind !== 'progress' || event.status.map.committed === 0 || damaged > 0) continue;
    for (const file of segments(dataDir, job.id).slice(0, 2)) {
      if (damaged++ === 0) truncateSync(file, Math.floor(statSync(file).size / 2));
      else rmSync(file);
    }
  }
  const result = await job.result();
  t.equal(await sortedLines(result), expected);
  t.ok(damaged > 0, 'there was something to damage');
  t.comment(`${damaged} files damaged, ${lost} maps lost to reducers`);
});

function segments(dataDir: string, job: string): string[] {
  const folder = join(dataDir, 'data', job);
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.seg'))
    .map((name) => join(folder, name));
}

t.test('workers killed at random moments', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'words.txt': text });
  const manifests = new Set<string>();
  await using cluster = await Cluster.local(quick);
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
