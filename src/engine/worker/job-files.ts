import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import { codeKey, type JobSpec } from '../../core/contracts/job.js';
import type { TaskRead } from '../../core/contracts/task.js';
import { openBlobStore } from '../stores/open-blob.js';
import { removeOutputs } from './attempt-data.js';

/** What a worker keeps of a job: its spec, its code as a local file, its data directory. */
export interface JobFiles {
  readonly spec: JobSpec;
  readonly codePath: string;
  readonly dataDir: string;
}

/** Fetches specs and code once per job. Data of all workers that share the directory lies below `<dataDir>/<job>/`. */
export class JobCache {
  readonly #dataDir: string;
  readonly #worker: string;
  readonly #fetchSpec: (job: string) => Promise<JobSpec>;
  readonly #jobs = new Map<string, Promise<JobFiles>>();
  readonly #loaded = new Map<string, JobFiles>();

  constructor(dataDir: string, worker: string, fetchSpec: (job: string) => Promise<JobSpec>) {
    this.#dataDir = dataDir;
    this.#worker = worker;
    this.#fetchSpec = fetchSpec;
  }

  get(job: string): Promise<JobFiles> {
    let files = this.#jobs.get(job);
    if (files === undefined) {
      files = this.#load(job);
      const loading = files;
      this.#jobs.set(job, loading);
      loading.then(
        (loaded) => {
          if (this.#jobs.get(job) === loading) this.#loaded.set(job, loaded);
        },
        () => this.#jobs.delete(job),
      );
    }
    return files;
  }

  /** What {@link get} resolves with, once it has; null before. */
  loaded(job: string): JobFiles | null {
    return this.#loaded.get(job) ?? null;
  }

  async #load(job: string): Promise<JobFiles> {
    const spec = await this.#fetchSpec(job);
    const dataDir = join(this.#dataDir, job, this.#worker);
    await mkdir(dataDir, { recursive: true });
    const bytes = await openBlobStore(spec.output).get(codeKey(job, spec.code));
    if (createHash('sha256').update(bytes).digest('hex') !== spec.code.sha256) {
      throw new DafError('ERR_DAF_BAD_DATA', `the stored code of job ${job} does not have its hash`);
    }
    const codePath = join(dataDir, `${spec.code.sha256}.${spec.code.kind === 'module' ? 'mjs' : 'so'}`);
    await writeFile(`${codePath}.tmp`, bytes, { mode: 0o700 });
    await rename(`${codePath}.tmp`, codePath);
    return { spec, codePath, dataDir };
  }

  /** Removes outputs of a job that nobody will read any more. */
  async dropOutputs(job: string, read: TaskRead): Promise<void> {
    await removeOutputs(join(this.#dataDir, job), read);
  }

  /** Removes everything that workers of this directory hold of a job. */
  async drop(job: string): Promise<void> {
    this.#jobs.delete(job);
    this.#loaded.delete(job);
    await rm(join(this.#dataDir, job), { recursive: true, force: true });
  }

  /** Jobs of which data lies here, also from earlier lives. */
  async list(): Promise<string[]> {
    const entries = await readdir(this.#dataDir, { withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isDirectory() && /^[a-z0-9-]{1,64}$/.test(entry.name)).map((entry) => entry.name);
  }
}
