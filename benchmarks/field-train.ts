/**
 * Question: how much of the machine does training reach? The whole loop (rays, marching, compositing, loss, occupancy, Adam) against the rate of
 * the field's own kernels on the samples that the loop spends on them; two threads against one, beside what two threads of multiply-adds in
 * registers gain in the same run; and what a process that trains holds at most. The scene is a ball whose pictures are known. Rates of one thread
 * are by computing time, those of two by the clock.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { addon, type TrainingPhase } from '#daf/core/addon/index.js';
import { Field } from '#daf/fields/index.js';
import { sphereScene } from '#daf/fields/testing-scene.js';
import { trainPlan } from '#daf/fields/train/options.js';
import { SceneSession } from '#daf/fields/train/session.js';
import { trainScene } from '#daf/fields/train/train-scene.js';
import { type BenchOptions, median, type Row, row } from './row.js';
import { alone, together } from './together.js';

export const group = 'field';
export const name = 'train';

const QUESTION = 'field training';
const MB = 2 ** 20;
/** Of what a second thread could gain at best, where it is a core of its own: 1.85 of 2. */
const GAIN = 1.85;

interface Rates {
  /** Samples a second: with gradients, and of which density was computed. */
  readonly samples: number;
  readonly candidates: number;
  /** Of all threads, by what they did. */
  readonly seconds: Readonly<Record<TrainingPhase, number>>;
}

export async function run({ quick, log }: BenchOptions): Promise<readonly Row[]> {
  const [warm, measured, repeats] = quick ? [20, 10, 1] : [400, 60, 5];
  log(`hash grid 12 levels × 2 × 2^17, ${warm} steps to form the scene, then ${repeats} × ${measured} steps`);
  const isa = addon().cpuInfo().isa;
  const scene = sphereScene(24, 128);
  const kernels = kernelRates(quick ? 0.1 : 1);
  const one: Rates[] = [];
  const two: Rates[] = [];
  const peaks = { one: [] as number[], two: [] as number[] };
  for (const [threads, rates] of [
    [1, one],
    [2, two],
  ] as const) {
    const plan = trainPlan(scene, { threads, steps: warm + repeats * measured });
    using field = Field.create(plan.field);
    await using session = await SceneSession.open(field, scene.frames, plan.session);
    await session.run(warm, 0, 0);
    for (let i = 0; i < repeats; i++) {
      rates.push(await timed(session, measured, threads === 1));
      peaks.one.push(alone(quick ? 0.05 : 0.5));
      peaks.two.push(await together(2, quick ? 0.05 : 0.5));
    }
    log(`${threads} thread${threads === 1 ? '' : 's'}: ${phases(rates)} of a thread’s time`);
  }
  const loop = median(one.map(({ samples }) => samples));
  // Seconds that the kernels alone would take for what a second of the loop got done.
  const share = median(
    one.map(({ samples, candidates }) => samples / kernels.training + (candidates - samples) / kernels.density),
  );
  const both = median(two.map(({ samples }) => samples));
  const limit = median(peaks.two) / median(peaks.one);
  return [
    row(
      QUESTION,
      `1 thread, ${isa}`,
      loop,
      'samples/s',
      `its kernels’ time, ${(share * 100).toFixed(0)} % of the loop’s`,
      share,
      0.8,
    ),
    row(
      `${QUESTION}, threads`,
      `2 threads, ${isa}`,
      both,
      'samples/s',
      `1 thread, ${loop.toFixed(0)} samples/s, × ${limit.toFixed(2)}, which multiply-adds in registers gain`,
      both / loop / limit,
      GAIN / 2,
    ),
    row(
      `${QUESTION}, threads`,
      `2 threads, ${isa}, unscaled`,
      both,
      'samples/s',
      `1 thread, ${loop.toFixed(0)} samples/s`,
      both / loop,
      null,
    ),
    memory(),
  ];
}

/** Samples a second of one thread, forward and backward, and of the density pass alone. */
function kernelRates(seconds: number): { training: number; density: number } {
  using field = Field.create({
    kind: 'hashgrid',
    box: { min: [-1, -1, -1], max: [1, 1, 1] },
    levels: 12,
    log2Entries: 17,
    coarsest: 16,
    finest: 512,
  });
  const points = Float32Array.from({ length: 3 * 42_240 }, (_, i) => Math.sin(i * 12.9898) * 0.99);
  let [done, spent] = [0, 0];
  while (spent < seconds) {
    const begin = process.cpuUsage();
    field.evaluate(points);
    const { user, system } = process.cpuUsage(begin);
    spent += (user + system) / 1e6;
    done += points.length / 3;
  }
  return { training: field.measure('training', seconds), density: done / spent };
}

async function timed(session: SceneSession, steps: number, computing: boolean): Promise<Rates> {
  const begin = performance.now();
  const used = process.cpuUsage();
  const report = await session.run(steps, 0, 0);
  const { user, system } = process.cpuUsage(used);
  const seconds = computing ? (user + system) / 1e6 : (performance.now() - begin) / 1000;
  return { samples: report.samples / seconds, candidates: report.candidates / seconds, seconds: report.seconds };
}

/** Medians of the shares that the phases have. */
function phases(rates: readonly Rates[]): string {
  const names = Object.keys((rates[0] as Rates).seconds) as TrainingPhase[];
  const share = (name: TrainingPhase, { seconds }: Rates) => seconds[name] / names.reduce((sum, each) => sum + seconds[each], 0);
  return names.map((name) => `${name} ${(100 * median(rates.map((rate) => share(name, rate)))).toFixed(1)} %`).join(', ');
}

/** In a process of its own, which does nothing else: a hundred pictures of 800 × 800 with alpha. */
function memory(): Row {
  const self = fileURLToPath(import.meta.url);
  const peak = Number(execFileSync(process.execPath, [self, '--peak'], { encoding: 'utf8' }));
  return row(
    `${QUESTION}, memory`,
    '100 pictures of 800×800 RGBA, 2 threads',
    peak / MB,
    'MB at most',
    '512 MB',
    (512 * MB) / peak,
    1,
  );
}

// As a child: only the memory of training.
if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === '--peak') {
  const { field, peakMemory } = await trainScene(sphereScene(100, 800), { threads: 2, steps: 20 });
  field.dispose();
  process.stdout.write(String(peakMemory));
}
