import { createHash } from 'node:crypto';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DafError } from '../../../core/contracts/errors.js';
import {
  codeKey,
  type JobSpec,
  jobPrefix,
  MANIFEST,
  REPLAYS,
  REPORT,
  replayPrefix,
  specKey,
  type TaskId,
  taskName,
} from '../../../core/contracts/job.js';
import type { Manifest } from '../../../core/contracts/manifest.js';
import type { TaskReport } from '../../../core/contracts/report.js';
import type { BlobStore } from '../../../core/contracts/stores.js';
import { openBlobStore } from '../../stores/open-blob.js';

/** What a finished job left for running its tasks again. */
export interface Bundle {
  readonly spec: JobSpec;
  readonly manifest: Manifest;
  /** What is known of every committed task, by its name. */
  readonly tasks: ReadonlyMap<string, TaskReport>;
  readonly results: BlobStore;
}

/** A place to run tasks in, apart from the job's results. */
export interface Stage {
  /** As the job's, but writing here. */
  readonly spec: JobSpec;
  readonly store: BlobStore;
  readonly codePath: string;
  readonly dataDir: string;
}

/**
 * Reads what a job that has published keeps beside its results.
 * @param url of the output store
 * @throws DafError ERR_DAF_NOT_FOUND where nothing was kept; ERR_DAF_BAD_DATA when the code is not the one that ran
 */
export async function openBundle(url: string): Promise<Bundle> {
  const results = openBlobStore(url);
  const spec = await findSpec(results);
  const manifest = await readJson<Manifest>(results, MANIFEST);
  const report = await readJson<{ readonly id: string; readonly tasks: readonly TaskReport[] }>(results, REPORT);
  if (report.id !== spec.id) {
    throw new DafError('ERR_DAF_BAD_DATA', `${url}: ${REPORT} is of job ${report.id}, what is kept for replays of ${spec.id}`);
  }
  const bytes = await results.get(keptKey(spec, codeKey(spec.id, spec.code)));
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== spec.code.sha256 || manifest.code !== spec.code.sha256) {
    const why = `the code kept for job ${spec.id} has changed: its SHA-256 is ${found}, the job ran ${manifest.code}`;
    throw new DafError('ERR_DAF_BAD_DATA', why, { hint: 'a replay means something with the same code only; run the job again' });
  }
  return { spec, manifest, results, tasks: new Map(report.tasks.map((task) => [task.task, task])) };
}

const keptKey = ({ id }: JobSpec, key: string): string => replayPrefix(id) + key.slice(jobPrefix(id).length);

async function findSpec(results: BlobStore): Promise<JobSpec> {
  for await (const { key } of results.list(REPLAYS)) {
    if (key.endsWith('/job.json')) return readJson<JobSpec>(results, key);
  }
  throw new DafError('ERR_DAF_NOT_FOUND', `${results.url} keeps nothing to replay from`, {
    hint: `a job that has finished leaves it below ${REPLAYS}; without it the job has to run again`,
  });
}

async function readJson<T>(store: BlobStore, key: string): Promise<T> {
  const bytes = await store.get(key);
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as T;
  } catch (error) {
    throw new DafError('ERR_DAF_BAD_DATA', `${store.url}: ${key} is damaged`, { cause: error });
  }
}

/** The committed task that an attempt's, or the task's own, name means. @throws DafError ERR_DAF_NOT_FOUND */
export function findTask({ tasks, spec }: Bundle, name: string): { readonly task: TaskId; readonly report: TaskReport } {
  const report = tasks.get(name) ?? [...tasks.values()].find(({ attempt }) => attempt === name);
  if (report === undefined) {
    const some = [...tasks.values()].slice(0, 3).map(({ attempt }) => attempt);
    throw new DafError('ERR_DAF_NOT_FOUND', `job ${spec.id} has committed no attempt ${JSON.stringify(name)}`, {
      hint: `${REPORT} lists those it has, such as ${some.join(', ')}; a task's name (${[...tasks.keys()][0]}) will do`,
    });
  }
  return { task: parseTask(report.task), report };
}

export function parseTask(name: string): TaskId {
  const match = /^(?:s(\d+)-)?(map|reduce|finalize)-(\d+)$/.exec(name);
  if (match === null) throw new DafError('ERR_DAF_BAD_DATA', `${REPORT} names a task ${JSON.stringify(name)}`);
  const task: TaskId = { step: Number(match[1] ?? 0), stage: match[2] as TaskId['stage'], index: Number(match[3]) };
  return taskName(task) === name ? task : { ...task, step: 0 };
}

/** Lays a folder out as the output store of a running job. */
export async function stageBundle({ spec: original, results }: Bundle, folder: string): Promise<Stage> {
  // Here everything lies on one disk; what a task leaves has the same bytes wherever it lies.
  const spec: JobSpec = { ...original, output: pathToFileURL(join(folder, 'output')).href, intermediate: 'workers' };
  const store = openBlobStore(spec.output);
  for await (const { key } of results.list(replayPrefix(spec.id))) {
    await store.put(jobPrefix(spec.id) + key.slice(replayPrefix(spec.id).length), await results.get(key));
  }
  await store.put(specKey(spec.id), Buffer.from(JSON.stringify(spec)));
  const dataDir = join(folder, 'data');
  await mkdir(dataDir, { recursive: true });
  const code = codeKey(spec.id, spec.code);
  const codePath = join(dataDir, code.slice(code.lastIndexOf('/') + 1));
  await writeFile(codePath, await store.get(code), { mode: 0o700 });
  return { spec, store, codePath, dataDir };
}

/** Makes a published file readable under a key of the stage, without a copy where it lies on this machine. */
export async function lendResult({ results }: Bundle, { store }: Stage, name: string, key: string): Promise<void> {
  const from = results.localPath(name);
  const to = store.localPath(key);
  if (from === null || to === null) {
    await store.put(key, await results.get(name));
    return;
  }
  await mkdir(dirname(to), { recursive: true });
  await symlink(from, to);
}
