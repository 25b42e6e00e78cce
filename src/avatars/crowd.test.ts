import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import tap from 'tap';
import type { Job } from '../engine/cluster/job-handle.js';
import type { Child } from '../engine/launch/child.js';
import { ptsText } from '../faces/vision/sidecar.js';
import { HandStarted } from '../testing/hand-started.js';
import { demoPhoto } from './demo/write_input.js';
import { avatarInput, avatarReducers, encodeInput, photosPerSplit } from './input.js';
import avatars from './job.js';

const PEOPLE = 40;
/** Different pictures; each stands for several people. */
const FACES = 4;
const SIZE = { width: 80, height: 100, texture: 256 };
/** MB of a worker, and what its second half may take beyond its first: code that is compiled, buffers that are kept. */
const BUDGET = 400;
const GROWTH = 64;

const skip = process.platform !== 'linux' && 'memory and descriptors are read from /proc';
tap.test(
  'a crowd goes on where it was when everything is killed, in the memory and with the files that it had',
  { skip },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'daf-crowd-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    await writePeople(join(folder, 'in'));
    const processes = new HandStarted(t, folder);
    const state = join(folder, 'state');
    const first = [await processes.coordinator(state), await processes.worker('first', {}, BUDGET)];
    const cluster = await processes.connect();
    const { records, people } = await avatarInput([join(folder, 'in')]);
    t.equal(people, PEOPLE);
    const job = await cluster.submit(avatars, {
      input: { items: records.map((record) => ({ key: '', value: encodeInput(record) })) },
      output: join(folder, 'out'),
      itemsPerSplit: photosPerSplit(records.length),
      reducers: avatarReducers(people),
      params: { quality: 'preview' },
    });
    await watch(job, first, ({ committed, total }) => committed >= total / 2);
    const { committed, total } = (await job.status()).reduce;
    t.ok(committed < total, `killed at ${committed} of ${total} reduces`);
    for (const child of first) {
      process.kill(child.pid, 'SIGKILL');
      await child.exited;
    }
    const second = [await processes.coordinator(state), await processes.worker('second', {}, BUDGET)];
    const samples = await watch(job, second, () => false);
    const result = await job.result();
    t.equal(result.counters['people.built'], PEOPLE);
    const report = (await result.report()) as unknown as { tasks: { task: string; worker: string }[] };
    const reduces = report.tasks.filter(({ task }) => task.startsWith('reduce'));
    const workers = [...new Set(reduces.map(({ worker }) => worker))];
    t.equal(workers.length, 2, 'both workers made people');
    const counts = workers.map((name) => reduces.filter(({ worker }) => worker === name).length);
    t.ok(
      counts.some((count) => count >= committed && total - count > 0),
      `of ${committed} reduces that had committed none was done again: ${counts.join(' and ')}`,
    );
    const [before, after] = [samples.slice(samples.length >> 2, samples.length >> 1), samples.slice(samples.length >> 1)];
    const mean = (some: readonly Sample[], field: keyof Sample): number =>
      some.reduce((sum, sample) => sum + sample[field], 0) / Math.max(1, some.length);
    t.ok(mean(after, 'megabytes') - mean(before, 'megabytes') < GROWTH, 'memory stays where it is');
    t.ok(mean(after, 'descriptors') - mean(before, 'descriptors') < 4, 'so do descriptors');
  },
);

interface Sample {
  readonly megabytes: number;
  readonly descriptors: number;
}

/** Samples of all processes together while people are made, until it is time or the job has ended. */
async function watch(
  job: Job,
  children: readonly Child[],
  ready: (reduce: Awaited<ReturnType<Job['status']>>['reduce']) => boolean,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (;;) {
    const { phase, reduce } = await job.status();
    if (phase === 'done' || phase === 'failed' || ready(reduce)) return samples;
    if (reduce.committed > 0) samples.push(sampleOf(children));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function sampleOf(children: readonly Child[]): Sample {
  let [megabytes, descriptors] = [0, 0];
  for (const { pid } of children) {
    const kilobytes = /RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    megabytes += Number(kilobytes?.[1] ?? 0) / 1024;
    descriptors += readdirSync(`/proc/${pid}/fd`).length;
  }
  return { megabytes, descriptors };
}

async function writePeople(folder: string): Promise<void> {
  const faces = await Promise.all(
    Array.from({ length: FACES }, async (_, face) => {
      const { rgb, landmarks } = demoPhoto(face, 0, { seed: 77 }, SIZE);
      const raw = { width: SIZE.width, height: SIZE.height, channels: 3 } as const;
      return { png: await sharp(rgb, { raw }).png().toBuffer(), pts: ptsText(landmarks) };
    }),
  );
  for (let person = 0; person < PEOPLE; person++) {
    const home = join(folder, `person-${String(person).padStart(2, '0')}`);
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'photo.png'), faces[person % FACES]!.png);
    writeFileSync(join(home, 'photo.pts'), faces[person % FACES]!.pts);
  }
}
