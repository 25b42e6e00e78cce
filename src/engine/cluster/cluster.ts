import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobDefinition } from '../../core/contracts/definition.js';
import type { JobStatus } from '../../core/contracts/job.js';
import type { WorkerStatus } from '../../core/contracts/messages.js';
import { temporaryFolder } from '../../core/temporary.js';
import { refuseInWorker } from '../jobs/define.js';
import type { LocalCluster } from '../launch/local.js';
import type { KeyPair } from '../wire/keys.js';
import type { ClientLink } from './client-link.js';
import type { Job } from './job-handle.js';
import type { LocalOptions, SubmitOptions } from './options.js';

// Heavy modules (sockets, esbuild, the addon) are imported where they are used: workers import `daf` too, for defineJob.

export interface ConnectOptions {
  /** Secret that the coordinator was started with. @defaultValue the environment's DAF_TOKEN, if any */
  readonly token?: string;
  /** File of one's own secret key, where the coordinator wants one. @defaultValue the environment's DAF_KEY, if any */
  readonly key?: string;
  /** The coordinator's public key, or the file of it. @defaultValue the environment's DAF_SERVER_KEY, if any */
  readonly serverKey?: string;
  /** How long to wait for an answer, ms. @defaultValue 10000 */
  readonly timeoutMs?: number;
}

interface Parts {
  readonly link: ClientLink;
  readonly local: LocalCluster | null;
  readonly threads: number;
}

/**
 * Workers to run jobs on: processes of this machine, or a coordinator elsewhere.
 *
 * ```ts
 * await using cluster = await Cluster.local({ workers: 2 });
 * const job = await cluster.submit(wordcount, { input: 'books/*.txt' });
 * for await (const [word, count] of (await job.result()).records()) …
 * ```
 */
export class Cluster implements AsyncDisposable {
  readonly #link: ClientLink;
  readonly #local: LocalCluster | null;
  readonly #threads: number;
  readonly #temporary: string[] = [];
  #closing: Promise<void> | null = null;

  private constructor({ link, local, threads }: Parts) {
    this.#link = link;
    this.#local = local;
    this.#threads = threads;
  }

  /**
   * Starts a coordinator and workers as child processes; they end with this process or by `close()`.
   * @throws DafError ERR_DAF_BAD_OPTION, ERR_DAF_MEMORY_LIMIT, ERR_DAF_IN_WORKER, ERR_DAF_WORKER_LOST when they do not start
   */
  static async local(options: LocalOptions = {}): Promise<Cluster> {
    refuseInWorker('Cluster.local');
    const { launchLocal } = await import('../launch/local.js');
    const { compileLocal } = await import('./options.js');
    const local = await launchLocal(compileLocal(options));
    try {
      const cluster = await connect(local.endpoint, { token: local.token, keys: null }, 30_000, local);
      return new Cluster(cluster);
    } catch (error) {
      await local.close();
      throw error;
    }
  }

  /**
   * Connects to a running coordinator.
   * @param endpoint `tcp://host:port` or `ipc:///path`; other machines are reached with keys only
   * @throws DafError ERR_DAF_UNREACHABLE, ERR_DAF_PERMISSION, ERR_DAF_BAD_OPTION, ERR_DAF_IN_WORKER
   */
  static async connect(endpoint: string, options: ConnectOptions = {}): Promise<Cluster> {
    refuseInWorker('Cluster.connect');
    const { clientSecurity, withServerKey } = await import('../wire/index.js');
    const { DAF_TOKEN, DAF_KEY, DAF_SERVER_KEY } = process.env;
    const security = clientSecurity(options.key ?? DAF_KEY ?? null, options.serverKey ?? DAF_SERVER_KEY ?? null);
    const place = withServerKey(endpoint, security?.serverKey ?? null);
    const secrets = { token: options.token ?? DAF_TOKEN ?? null, keys: security?.keys ?? null };
    return new Cluster(await connect(place, secrets, options.timeoutMs ?? 10_000, null));
  }

  /** Where the coordinator listens. */
  get endpoint(): string {
    return this.#link.endpoint;
  }

  /** Task threads of all workers, as they were at the start. */
  get threads(): number {
    return this.#threads;
  }

  /**
   * Submits a job: a definition (made by defineJob), the path or URL of a job module (JavaScript or TypeScript), or of a plugin (.so).
   * @throws DafError ERR_DAF_BAD_JOB, ERR_DAF_INLINE_CAPTURE, ERR_DAF_NO_INPUT, ERR_DAF_OUTPUT_EXISTS, ERR_DAF_BAD_OPTION,
   * ERR_DAF_MEMORY_LIMIT when no worker that was started here could hold a task of it
   */
  // biome-ignore lint/suspicious/noExplicitAny: a definition over text or over bytes
  async submit(job: JobDefinition<any> | string | URL, options: SubmitOptions): Promise<Job> {
    const [{ jobCode }, { compileSubmit, REMOTE_TASK_MEMORY }, { prepareJob }, { largestTask }, { JobHandle }, { failpoint }] =
      await Promise.all([
        import('./code.js'),
        import('./options.js'),
        import('./submit.js'),
        import('./step-specs.js'),
        import('./job-handle.js'),
        import('../../core/failpoint.js'),
      ]);
    const compiled = compileSubmit(options, {
      threads: this.#threads,
      output: () => this.#temporaryOutput(),
      memory: this.#local?.taskMemory ?? REMOTE_TASK_MEMORY,
    });
    const code = await jobCode(job as JobDefinition, compiled.cwd);
    this.#local?.checkFits(code.definition.name, largestTask(code, compiled));
    const { spec } = await prepareJob(code, compiled);
    const status = await this.#link.submit(spec);
    failpoint('client.after-submit');
    return new JobHandle(this.#link, status);
  }

  /** A job that was submitted earlier, perhaps by another process. @throws DafError ERR_DAF_NO_SUCH_JOB */
  async job(id: string): Promise<Job> {
    const { JobHandle } = await import('./job-handle.js');
    return new JobHandle(this.#link, await this.#link.status(id));
  }

  async jobs(): Promise<JobStatus[]> {
    return this.#link.jobs();
  }

  async workers(): Promise<WorkerStatus[]> {
    return this.#link.workers();
  }

  /** Ends what this cluster started and removes its temporary files, temporary outputs among them. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#link.close();
    await this.#local?.close();
    for (const folder of this.#temporary) rmSync(folder, { recursive: true, force: true });
  }

  #temporaryOutput(): string {
    // What a killed process left goes with the next; not where the cluster lives on, and the job that writes there with it.
    const folder = this.#local === null ? mkdtempSync(join(tmpdir(), 'daf-output-')) : temporaryFolder('output');
    this.#temporary.push(folder);
    return folder;
  }
}

async function connect(
  endpoint: string,
  { token, keys }: { readonly token: string | null; readonly keys: KeyPair | null },
  timeoutMs: number,
  local: LocalCluster | null,
): Promise<Parts> {
  const { ClientLink } = await import('./client-link.js');
  const link = new ClientLink(endpoint, token, keys);
  local?.onFailure((error) => link.fail(error));
  try {
    const { threads } = await link.hello(timeoutMs);
    return { link, local, threads: local?.threads ?? Math.max(1, threads) };
  } catch (error) {
    await link.close();
    throw error;
  }
}
