import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { demoPhoto } from '#daf/avatars/demo/write_input.js';
import { avatarInput, avatarReducers, encodeInput, photosPerSplit } from '#daf/avatars/input.js';
import avatars from '#daf/avatars/job.js';
import { Cluster } from '#daf/engine/cluster/cluster.js';
import type { Job } from '#daf/engine/cluster/job-handle.js';
import type { Child } from '#daf/engine/launch/child.js';
import { ptsText } from '#daf/faces/vision/sidecar.js';
import { kill, Processes } from './engine/processes.js';
import { type BenchOptions, type Row, row } from './row.js';

export const group = 'avatars';
export const name = 'crowd';
export const byNameOnly = true;
/** `people`: tiny people (10,000). */
export const settings = ['people'];

/** Pixels; landmarks lie beside the photos. */
const WIDTH = 80;
const HEIGHT = 100;
/** Different faces; each stands for many people. */
const FACES = 24;
const TIMING = { heartbeatMs: 500, leaseMs: 4000 };
/** MB that the later half of the samples may lie above the earlier half. */
const GROWTH = 24;
const MB = 2 ** 20;
/** MB of a worker. */
const BUDGET = 512;

interface Sample {
  readonly megabytes: number;
  readonly descriptors: number;
}

/**
 * Do memory and descriptors stay where they are while thousands of tiny people become avatars of preview quality, and does a job go on where it was when coordinator and worker
 * are killed without a word half-way?
 */
export async function run(options: BenchOptions): Promise<readonly Row[]> {
  if (process.platform !== 'linux') {
    options.log('skipped: memory and descriptors are read from /proc');
    return [];
  }
  const people = Number(options.settings['people'] ?? (options.quick ? 12 : 10_000));
  const folder = mkdtempSync(join(process.env['DAF_BENCH_DIR'] ?? tmpdir(), 'daf-bench-crowd-'));
  try {
    await writeTinyPeople(join(folder, 'in'), people);
    await using processes = new Processes(folder, TIMING);
    let coordinator = await processes.coordinator();
    let worker = await processes.worker(BUDGET);
    const cluster = await Cluster.connect(processes.endpoint);
    try {
      const begun = performance.now();
      const job = await submit(cluster, join(folder, 'in'), join(folder, 'out'));
      const first = await watch(job, [coordinator, worker], (status) => status.reduce.committed >= status.reduce.total / 2);
      const before = (await job.status()).reduce.committed;
      await kill(worker);
      await kill(coordinator);
      coordinator = await processes.coordinator();
      worker = await processes.worker(BUDGET);
      const second = await watch(job, [coordinator, worker], (status) => status.phase === 'done' || status.phase === 'failed');
      const result = await job.result();
      const minutes = (performance.now() - begun) / 60_000;
      const built = result.counters['people.built'] ?? 0;
      options.log(`${built} of ${people} people in ${minutes.toFixed(1)} minutes, killed at ${before} committed reduces`);
      return rows(people, built, minutes, before, await redone(result, before), first, second);
    } finally {
      await cluster.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function submit(cluster: Cluster, input: string, output: string): Promise<Job> {
  const { records } = await avatarInput([input]);
  const people = new Set(records.map((record) => ('identity' in record ? record.identity : ''))).size;
  return cluster.submit(avatars, {
    input: { items: records.map((record) => ({ key: '', value: encodeInput(record) })) },
    output,
    itemsPerSplit: photosPerSplit(records.length),
    reducers: avatarReducers(people),
    params: { quality: 'preview' },
  });
}

/** Samples of the larger process until it is time. */
async function watch(
  job: Job,
  children: readonly Child[],
  ready: (status: Awaited<ReturnType<Job['status']>>) => boolean,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (;;) {
    const status = await job.status();
    if (status.reduce.committed > 0 && status.phase !== 'done') samples.push(sampleOf(children));
    if (ready(status)) return samples;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function sampleOf(children: readonly Child[]): Sample {
  const sizes = children.map(({ pid }) => {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const kilobytes = (field: string): number => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
    return (kilobytes('RssAnon') + kilobytes('RssShmem')) * 1024;
  });
  const open = children.map(({ pid }) => readdirSync(`/proc/${pid}/fd`).length);
  return { megabytes: sizes.reduce((sum, size) => sum + size, 0) / MB, descriptors: open.reduce((sum, count) => sum + count, 0) };
}

/** Reduces that the second worker did although they had committed before the first was killed. */
async function redone(result: Awaited<ReturnType<Job['result']>>, before: number): Promise<number> {
  const report = (await result.report()) as unknown as { tasks: { task: string; worker: string }[] };
  const reduces = report.tasks.filter(({ task }) => task.startsWith('reduce'));
  const workers = [...new Set(reduces.map(({ worker }) => worker))];
  if (workers.length > 2) throw new Error(`reduces of ${workers.join(', ')}, and only two workers lived`);
  const later = reduces.filter(({ worker }) => worker === workers.at(-1)).length;
  const ofFirst = workers.length === 1 ? 0 : reduces.length - later;
  return Math.max(0, before - ofFirst);
}

function rows(
  people: number,
  built: number,
  minutes: number,
  before: number,
  again: number,
  first: readonly Sample[],
  second: readonly Sample[],
): Row[] {
  const what = `${people} people, one ${WIDTH}×${HEIGHT} photo each, preview quality, killed -9 half-way`;
  const growth = Math.max(grown(first, 'megabytes'), grown(second, 'megabytes'));
  const descriptors = Math.max(grown(first, 'descriptors'), grown(second, 'descriptors'));
  // A few people show that it runs; growth is told by many.
  const steady = people >= 1000 ? 1 : null;
  return [
    row('people built', what, built, 'people', `${people} given, in ${minutes.toFixed(1)} minutes`, built / people, 1),
    row('memory grown from half to half', what, growth, 'MB', `${GROWTH} MB allowed`, GROWTH / Math.max(growth, 1), steady),
    row('descriptors grown from half to half', what, descriptors, 'files', '2 allowed', 2 / Math.max(descriptors, 1), steady),
    row('people done again', what, again, 'reduces', `${before} had committed`, 1 / (1 + again), 1),
  ];
}

/** How much the mean of the later half of the samples lies above that of the earlier half, the first quarter left out: until then caches fill. */
function grown(all: readonly Sample[], field: keyof Sample): number {
  const samples = all.slice(all.length >> 2);
  const half = samples.length >> 1;
  if (half === 0) return 0;
  const mean = (some: readonly Sample[]): number => some.reduce((sum, sample) => sum + sample[field], 0) / some.length;
  return mean(samples.slice(half)) - mean(samples.slice(0, half));
}

/** Thousands of people in a folder each; FACES pictures are drawn, and copied. */
async function writeTinyPeople(folder: string, people: number): Promise<void> {
  const faces: { readonly png: Buffer; readonly pts: string }[] = [];
  for (let face = 0; face < Math.min(FACES, people); ++face) {
    const { rgb, landmarks } = demoPhoto(face, 0, { seed: 77 }, { width: WIDTH, height: HEIGHT, texture: 256 });
    const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const;
    faces.push({ png: await sharp(rgb, { raw }).png().toBuffer(), pts: ptsText(landmarks) });
  }
  for (let person = 0; person < people; ++person) {
    const home = join(folder, `person-${String(person).padStart(5, '0')}`);
    mkdirSync(home, { recursive: true });
    const { png, pts } = faces[person % faces.length]!;
    writeFileSync(join(home, 'photo.png'), png);
    writeFileSync(join(home, 'photo.pts'), pts);
  }
}
