import { existsSync } from 'node:fs';
import { mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DafError } from '../core/contracts/errors.js';
import { MANIFEST, specKey } from '../core/contracts/job.js';
import { formatBytes } from '../core/options/index.js';
import type { Cluster } from '../engine/cluster/cluster.js';
import type { Job } from '../engine/cluster/job-handle.js';
import { JobResult } from '../engine/cluster/result.js';
import { outputUrl } from '../engine/cluster/submit.js';
import { openBlobStore } from '../engine/stores/open-blob.js';
import { CATEGORIES, type Category } from '../faces/datasets/synthetic/mix.js';
import { setOptions } from '../faces/datasets/synthetic/options.js';
import { peakOf } from './avatar-run.js';
import type { CommandIo } from './command.js';
import { takeLock } from './folder-lock.js';
import { drawn, follow } from './job-options.js';
import type { RunPlace } from './run-place.js';

/** What `daf dataset synth --mix` asks for. */
export interface SetRun {
  /** Directory or store URL. */
  readonly out: string;
  /** Of the job. */
  readonly params: Readonly<Record<string, string>>;
  readonly place: RunPlace;
  readonly overwrite: boolean;
}

export interface SetSummary {
  readonly output: string;
  /** False where the set was there already. */
  readonly rendered: boolean;
  readonly people: number;
  readonly photos: Readonly<Record<Category, number>>;
  /** Of all files. */
  readonly bytes: number;
  /** Of this run: an earlier one that was stopped is not counted. */
  readonly seconds: number;
  readonly peakBytes: number | null;
}

/** Beside the set while it is made: what the coordinator of this machine knows of the job, so that a run that was killed goes on. */
const STATE = '.daf';
/** Held by the command that makes the set: two coordinators on one state would fence each other. */
const LOCK = '.daf-lock';

/**
 * Renders a set, or goes on where a run with the same options was stopped or killed. On this machine Ctrl-C stops and keeps what is done; with
 * --connect, or where the set goes to a bucket, it cancels the job.
 */
export async function runSet(run: SetRun, io: CommandIo): Promise<SetSummary> {
  const started = performance.now();
  const seconds = (): number => Math.round((performance.now() - started) / 100) / 10;
  const output = await checked(run);
  const folder = run.place.elsewhere || !output.startsWith('file:') ? null : fileURLToPath(output);
  const before = await finishedBefore(run, output);
  if (before !== null && (folder === null || !existsSync(join(folder, STATE)))) return thereAlready(before, seconds());
  const state = folder === null ? null : await KeptState.open(folder);
  let cluster: Cluster | null = null;
  let job: Job | null = null;
  let over = false;
  try {
    // Another command may have finished it before the state was this one's; a killed one may have left state behind.
    const now = await finishedBefore(run, output);
    over = now !== null;
    if (now !== null) return await thereAlready(now, seconds());
    cluster = await run.place.open(state?.folder);
    job = await theJob(cluster, run, output, io);
    const result = state === null ? await follow(job, io) : await stoppable(job, run, io);
    over = true;
    return { ...(await summaryOf(result)), rendered: true, seconds: seconds() };
  } catch (error) {
    over = job !== null && !io.signal.aborted && (await hasEnded(job));
    throw error;
  } finally {
    try {
      await cluster?.close();
    } finally {
      await state?.close(over, job !== null);
    }
  }
}

async function thereAlready(result: JobResult, seconds: number): Promise<SetSummary> {
  return { ...(await summaryOf(result)), rendered: false, seconds };
}

/**
 * Gives the job to a cluster that runs, and leaves.
 * @returns `id` null where the set is there already.
 */
export async function submitSet(run: SetRun, io: CommandIo): Promise<{ readonly id: string | null; readonly output: string }> {
  const output = await checked(run);
  if ((await finishedBefore(run, output)) !== null) return { id: null, output };
  await using cluster = await run.place.open();
  const { id } = await theJob(cluster, run, output, io);
  return { id, output };
}

/** The output's URL. What is wrong is said before anything starts. */
async function checked({ out, params }: SetRun): Promise<string> {
  setOptions(params);
  return outputUrl(out, process.cwd());
}

async function finishedBefore({ params, overwrite }: SetRun, output: string): Promise<JobResult | null> {
  if (overwrite || (await openBlobStore(output).stat(MANIFEST)) === null) return null;
  const result = await JobResult.open(output);
  const { default: definition } = await import('../faces/datasets/synthetic/job.js');
  // Made by another version it is still the set that was asked for.
  const { daf: _, ...asked } = params;
  const { daf: __, ...made } = result.manifest.params;
  if (result.manifest.job === definition.name && same(made, asked)) return result;
  throw new DafError('ERR_DAF_OUTPUT_EXISTS', `${output} already holds other results (${described(result.manifest.params)})`, {
    hint: 'choose another folder, or give --overwrite',
  });
}

/** One that makes this very set, or a new one. */
async function theJob(cluster: Cluster, run: SetRun, output: string, io: CommandIo): Promise<Job> {
  const { default: definition, setRecords } = await import('../faces/datasets/synthetic/job.js');
  for (const { id, name, output: place, phase, map } of await cluster.jobs()) {
    if (place !== output || (phase !== 'running' && phase !== 'publishing')) continue;
    const job = await cluster.job(id);
    if (run.overwrite) {
      await job.cancel();
      await job.result().catch(() => {});
      continue;
    }
    const params = await paramsOf(output, id);
    if (name === definition.name && same(params, run.params)) {
      io.log(`going on: ${map.committed} of ${map.total} tasks are done`);
      return job;
    }
    throw new DafError('ERR_DAF_OUTPUT_EXISTS', `${output} holds an unfinished job (${name}: ${described(params)})`, {
      hint: `give its options${params['daf'] === run.params['daf'] ? '' : ` to DAF ${params['daf']}`} to go on, or --overwrite to begin anew`,
    });
  }
  return cluster.submit(definition, {
    input: { items: setRecords(setOptions(run.params)) },
    itemsPerSplit: 1,
    output,
    params: run.params,
    overwrite: run.overwrite,
  });
}

async function paramsOf(output: string, id: string): Promise<Readonly<Record<string, string>>> {
  try {
    const spec: unknown = JSON.parse(Buffer.from(await openBlobStore(output).get(specKey(id))).toString('utf8'));
    return (spec as { params: Record<string, string> }).params;
  } catch (cause) {
    throw new DafError('ERR_DAF_OUTPUT_EXISTS', `${output} holds an unfinished job that lost its files`, {
      hint: '--overwrite begins anew',
      cause,
    });
  }
}

/** Until the job has ended, or Ctrl-C: then it waits in its state for the next run. */
async function stoppable(job: Job, { overwrite }: SetRun, io: CommandIo): Promise<JobResult> {
  const stopped = new Promise<never>((_, reject) => {
    const stop = (): void => {
      const again = overwrite ? 'the same command without --overwrite' : 'the same command';
      const hint = `${again} goes on where it stopped; Ctrl-C again ends at once`;
      reject(new DafError('ERR_DAF_CANCELLED', 'stopped; what is done is kept', { hint }));
    };
    if (io.signal.aborted) stop();
    else io.signal.addEventListener('abort', stop, { once: true });
  });
  const result = drawn(job, io);
  result.catch(() => {}); // of a cluster that is closed
  return Promise.race([result, stopped]);
}

async function hasEnded(job: Job): Promise<boolean> {
  const status = await job.status().catch(() => null);
  return status !== null && status.phase !== 'running' && status.phase !== 'publishing';
}

/** The folder with the coordinator's state, and the set's own. */
class KeptState {
  readonly folder: string;
  readonly #set: string;
  readonly #fresh: boolean;
  readonly #giveBack: () => void;

  private constructor(set: string) {
    this.#set = set;
    this.#giveBack = takeLock(join(set, LOCK), 'making this set');
    this.folder = join(set, STATE);
    this.#fresh = !existsSync(this.folder);
  }

  /** @throws DafError ERR_DAF_CONFLICT while another command of this machine makes the set. */
  static async open(set: string): Promise<KeptState> {
    await mkdir(set, { recursive: true });
    return new KeptState(set);
  }

  /** Nothing stays behind of a job that is over, nor of one that never was. */
  async close(over: boolean, began: boolean): Promise<void> {
    if (over || (!began && this.#fresh)) await rm(this.folder, { recursive: true, force: true });
    this.#giveBack();
    await rmdir(this.#set).catch(() => {}); // it holds the set
  }
}

async function summaryOf(result: JobResult): Promise<Omit<SetSummary, 'rendered' | 'seconds'>> {
  const { counters, manifest, output } = result;
  return {
    output,
    people: counters['people'] ?? 0,
    photos: Object.fromEntries(CATEGORIES.map((each) => [each, counters[`photos.${each}`] ?? 0])) as Record<Category, number>,
    bytes: manifest.outputs.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
    peakBytes: peakOf(await result.report().catch(() => null)),
  };
}

/** @param folder where the user finds it. */
export function setText({ photos, people, seconds, bytes, rendered, peakBytes }: SetSummary, folder: string): string {
  const total = Object.values(photos).reduce((sum, each) => sum + each, 0);
  const parts = CATEGORIES.filter((each) => photos[each] > 0).map((each) => `${photos[each]} × ${each}`);
  const peak = peakBytes === null ? '' : `; largest process ${formatBytes(peakBytes)}`;
  return [
    `${total} photos of ${people} ${people === 1 ? 'person' : 'people'} (${parts.join(', ')}), ${formatBytes(bytes)}`,
    rendered ? `rendered in ${seconds} s${peak}` : 'they were there already',
    `photos and landmarks in ${folder}/photos, what is true of them in ${folder}/truth`,
    `daf dataset check ${folder}`,
  ].join('\n');
}

function same(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
}

function described(params: Readonly<Record<string, string>>): string {
  return Object.entries(params)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
