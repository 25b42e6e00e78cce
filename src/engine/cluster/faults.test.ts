import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Manifest } from '../../core/contracts/manifest.js';
import { FAILPOINTS } from '../../core/failpoint.js';
import {
  countWords,
  isRunning,
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
  map({ value }, emit, { counters }) {
    counters.add('lines');
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
  t.same((JSON.parse(manifest) as Manifest).counters, { lines: 2500 }, 'it counts as well, and so have all others to');
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
  const points = FAILPOINTS.filter((name) => /^(worker|task)\./.test(name));
  for (const name of points) await killAt(t, folder, name, name === 'task.map-record' ? 40 : 1, wanted);
});

t.test('a coordinator killed at any fail point is started again and goes on', async (t) => {
  const folder = temporaryDirectory(t);
  const wanted = await undisturbed(t, folder);
  const early = ['start', 'loaded'];
  const otherWays = ['failure-counted', 'reopened', 'copies-moved', 'cancel', 'failed']; // killed there by the coordinator's own test
  const left = [...early, ...otherWays].map((name) => `coordinator.${name}`);
  const points = FAILPOINTS.filter((name) => name.startsWith('coordinator.') && !left.includes(name));
  for (const name of points) await killAt(t, folder, name, 1, wanted);
});

/** Counts words; its first map ends only when the file named by the parameter `maps` is there, its finalize when that of `end` is. */
const held = defineJob({
  name: 'held',
  async map({ value }, emit, { index, params }) {
    const { existsSync } = await import('node:fs');
    while (index === 0 && !existsSync(String(params['maps']))) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const word of value.match(/[A-Za-z]+/g) ?? []) emit(word, '1');
  },
  reduce(word, ones, emit) {
    emit(word, String([...ones].length));
  },
  async finalize({ params }) {
    const { existsSync } = await import('node:fs');
    while (!existsSync(String(params['end']))) await new Promise((resolve) => setTimeout(resolve, 5));
  },
});

t.test('intermediate files that are damaged or lost are made again', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'words.txt': text, end: '' });
  const dataDir = join(folder, 'cluster');
  await using cluster = await Cluster.local({ ...quick, dataDir });
  const maps = join(folder, 'maps');
  const job = await cluster.submit(held, {
    input: join(folder, 'words.txt'),
    output: join(folder, 'damaged'),
    reducers: 3,
    splitSize: 12_000,
    separator: ' ',
    params: { maps, end: join(folder, 'end') },
  });
  let damaged = 0;
  let lost = 0;
  for await (const event of job.progress()) {
    if (event.kind === 'attempt-failed') lost += event.lost.length;
    // One map is held back: no reduce has opened a file yet, and none ends before the damage is done.
    if (event.kind !== 'progress' || event.status.map.committed < event.status.map.total - 1 || damaged > 0) continue;
    for (const file of segments(dataDir, job.id)) {
      if (damaged++ === 0) truncateSync(file, Math.floor(statSync(file).size / 2));
      else if (damaged === 2) writeFileSync(file, flipped(readFileSync(file)));
      else rmSync(file);
      if (damaged === 3) break;
    }
    writeFileSync(maps, '');
  }
  const result = await job.result();
  t.equal(await sortedLines(result), expected);
  t.equal(damaged, 3);
  t.ok(lost >= 3, `each was noticed: ${lost}`);
});

/** A byte in the middle is another one. */
function flipped(bytes: Buffer): Buffer {
  bytes[bytes.length >> 1]! ^= 0x40;
  return bytes;
}

/** Of all maps but the first, which is held back. */
function segments(dataDir: string, job: string): string[] {
  const folder = join(dataDir, 'data', job);
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => /(?<!map-0-g\d+-a[\d.]+)\.seg$/.test(name))
    .map((name) => join(folder, name));
}

t.test('workers killed at random moments', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'words.txt': text, maps: '' });
  const manifests = new Set<string>();
  await using cluster = await Cluster.local(quick);
  // One name for every round: it is a parameter, and so in the manifest.
  const end = join(folder, 'end');
  for (let round = 0; round < 4; round++) {
    rmSync(end, { force: true });
    const job = await cluster.submit(held, {
      input: join(folder, 'words.txt'),
      output: join(folder, `round-${round}`),
      reducers: 3,
      splitSize: 12_000,
      separator: ' ',
      params: { maps: join(folder, 'maps'), end },
    });
    // The job cannot end before both have been killed.
    for (let i = 0; i < 2; i++) {
      await new Promise((resolve) => setTimeout(resolve, 40 + 97 * round + 150 * i));
      process.kill(await someWorker(cluster, round + i), 'SIGKILL');
    }
    writeFileSync(end, '');
    const result = await job.result();
    t.equal(await sortedLines(result), expected, `round ${round}`);
    manifests.add(manifestBytes(result));
  }
  t.equal(manifests.size, 1);
});

/** The process of a worker that runs. */
async function someWorker(cluster: Cluster, n: number): Promise<number> {
  for (;;) {
    const alive = (await cluster.workers()).map(({ pid }) => pid).filter(isRunning);
    if (alive.length > 0) return alive[n % alive.length]!;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
