import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AvatarReport } from '#daf/avatars/report.js';
import { mean } from './avatars/context.js';
import { type JobRun, runJob } from './avatars/job-run.js';
import { writePortraits } from './avatars/portraits.js';
import { type BenchOptions, median, type Row, row } from './row.js';

export const group = 'avatars';
export const name = 'rate';
/** `people`: portraits (200); `pair`: of them for two workers beside one (40). */
export const settings = ['people', 'pair'];

/** People an hour that one CPU is to make, and the least that is asked of their fields, samples. */
const WANTED = { draft: { rate: 4000, samples: 300_000 }, standard: { rate: 1000, samples: 1_200_000 } } as const;
type Measured = keyof typeof WANTED;
const LIMIT_MB = 512;
/** dB that a draft may lie below standard. */
const DRAFT_LOSS = 1.5;
/** Of two workers on two CPUs against one. */
const SCALING = 1.9;

/**
 * How many people an hour become avatars from portraits of 1024×1024, faces and landmarks found in them with the models that DAF carries, on one CPU
 * for coordinator, worker and commit together, from the start of the process to its end? Where does the time go? Do two workers on two CPUs do it in
 * half the time?
 */
export async function run(options: BenchOptions): Promise<readonly Row[]> {
  if (process.platform !== 'linux') {
    options.log('skipped: processes are bound to CPUs with taskset, which this system lacks');
    return [];
  }
  const people = Number(options.settings['people'] ?? (options.quick ? 3 : 200));
  const pair = Math.min(people, Number(options.settings['pair'] ?? (options.quick ? 3 : 40)));
  const folder = mkdtempSync(join(tmpdir(), 'daf-bench-avatars-'));
  try {
    const heads = await writePortraits(join(folder, 'all'), people);
    const what = `${people} portraits of 1024×1024, ${heads} heads`;
    const rows: Row[] = [];
    const runs = new Map<Measured, JobRun>();
    for (const quality of ['draft', 'standard'] as const) {
      const made = runJob(join(folder, 'all'), join(folder, quality), quality, '0', 1);
      runs.set(quality, made);
      options.log(`${quality}: ${made.people.length} of ${people} people in ${made.seconds.toFixed(1)} s`);
      rows.push(...rateRows(made, people, quality, `${what}, ${quality}, everything on CPU 0 (taskset)`));
    }
    rows.push(...lossRows(runs.get('draft')!, runs.get('standard')!, what));
    if (availableParallelism() >= 2) {
      await writePortraits(join(folder, 'pair'), pair);
      const one = runJob(join(folder, 'pair'), join(folder, 'one'), 'draft', '0', 1);
      const two = runJob(join(folder, 'pair'), join(folder, 'two'), 'draft', '0,1', 2);
      const gain = one.seconds / two.seconds;
      const against = `one worker on one: ${one.seconds.toFixed(1)} s`;
      rows.push(row('two workers on two CPUs', `${pair} portraits, draft`, gain, 'times as fast', against, gain, SCALING));
    } else options.log('two workers: skipped, there is one CPU');
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function rateRows(made: JobRun, people: number, quality: Measured, what: string): Row[] {
  const wanted = WANTED[quality];
  const rate = (3600 * made.people.length) / made.seconds;
  const samples = Math.min(...made.people.map(({ field }) => field!.samples));
  const { peakMegabytes: peak, mapMilliseconds: map } = made;
  return [
    row('people an hour', what, rate, 'people/h', `${wanted.rate} wanted of one CPU`, rate / wanted.rate, 1),
    row('people with all files', what, made.people.length, 'people', `${people} given`, made.people.length / people, 0.95),
    row('least samples of a field', what, samples, 'samples', `${wanted.samples} wanted`, samples / wanted.samples, 1),
    row('largest process', what, peak, 'MB', `limit of ${LIMIT_MB} MB`, LIMIT_MB / peak, 1),
    ...timeRows(made, map, what),
  ];
}

/** Where a person's time goes, ms on the clock of a CPU that does nothing else. */
function timeRows(made: JobRun, map: number, what: string): Row[] {
  const each = (1000 * made.seconds) / made.people.length;
  const parts: [string, number][] = [['photo to observation (map)', map]];
  for (const name of Object.keys(made.people[0]?.milliseconds ?? {})) {
    parts.push([name, median(made.people.map(({ milliseconds }) => milliseconds[name] ?? 0))]);
  }
  const known = made.people.length === 0 ? 0 : median(made.people.map(({ milliseconds }) => sum(Object.values(milliseconds))));
  parts.push(['the rest of reduce (files written)', made.reduceMilliseconds - known]);
  parts.push(['start, coordination, commit, contact sheet', each - map - made.reduceMilliseconds]);
  return parts.map(([part, ms]) =>
    row(`time: ${part}`, what, ms, 'ms a person', `${each.toFixed(0)} ms in all`, ms / each, null),
  );
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

/** How much less like the same photos the drafts are, by what their reports say. */
function lossRows(draft: JobRun, standard: JobRun, what: string): Row[] {
  const others = new Map(standard.people.map((person) => [person.identity, person]));
  const both = draft.people.filter(({ identity }) => others.has(identity));
  if (both.length === 0) return [];
  return (['glbPsnr', 'fieldPsnr'] as const).map((measure) => {
    const of = (person: AvatarReport): number => person.likeness![measure];
    const [low, high] = [mean(both.map(of)), mean(both.map(({ identity }) => of(others.get(identity)!)))];
    const loss = high - low;
    const question = measure === 'glbPsnr' ? 'draft GLB below standard' : 'draft field below standard';
    const against = `at most ${DRAFT_LOSS} dB below ${high.toFixed(2)} dB`;
    return row(question, `${what}, against their photos`, loss, 'dB', against, DRAFT_LOSS / Math.max(loss, 0.01), 1);
  });
}
