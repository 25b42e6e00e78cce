import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { memoryLimit } from '../../core/cgroup.js';
import { DafError } from '../../core/contracts/errors.js';
import { PROTOCOL } from '../../core/contracts/messages.js';
import { defaultTaskMemory, taskBudget, workerMemoryFor } from '../../core/memory-plan.js';
import { formatBytes } from '../../core/options/index.js';
import { temporaryFolder } from '../../core/temporary.js';
import { freshIpcEndpoint } from '../wire/endpoint.js';
import { Child } from './child.js';
import type { LaunchOptions } from './launch-options.js';
import { type Shares, shareMemory } from './memory-shares.js';
import { COORDINATOR_FLAGS, workerFlags } from './node-flags.js';

const COORDINATOR = new URL('../coordinator/main.js', import.meta.url).href;
const WORKER = new URL('../worker/main.js', import.meta.url).href;
/** Processes that keep dying take the cluster down rather than the machine. */
const MAX_RESTARTS = 64;
const RESTART_PAUSE_MS = 100;
/** Workers that may die before they were ever ready; with more of them something is wrong with this machine or install. */
const MAX_FAILED_STARTS = 3;

/** A coordinator and workers of this machine. They live until close(), or until this process is gone. */
export async function launchLocal(options: LaunchOptions): Promise<LocalCluster> {
  const shares = shareMemory(options, memoryLimit());
  const cluster = new LocalCluster(options, shares);
  try {
    await cluster.start();
    return cluster;
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

export class LocalCluster {
  readonly endpoint: string;
  readonly token = randomBytes(16).toString('hex');
  readonly workers: number;
  readonly threads: number;
  /** Budget of one worker, bytes. */
  readonly workerMemory: number;
  /** What a job's tasks reserve where it does not say. */
  readonly taskMemory: { readonly sortBuffer: number; readonly task: number };
  readonly #options: LaunchOptions;
  readonly #directory: string;
  readonly #removeSocket: () => void;
  readonly #children = new Map<string, Child>();
  readonly #failures: ((error: DafError) => void)[] = [];
  #coordinator: Child | null = null;
  #restarts = 0;
  #started = 0;
  #failedStarts = 0;
  #closed = false;

  constructor(options: LaunchOptions, shares: Shares) {
    this.#options = options;
    this.workers = shares.workers;
    this.threads = shares.workers * options.threads;
    this.workerMemory = shares.memory;
    this.taskMemory = defaultTaskMemory(shares.memory, options.threads);
    const socket = freshIpcEndpoint();
    this.endpoint = socket.endpoint;
    this.#removeSocket = socket.remove;
    this.#directory = options.dataDir === null ? temporaryFolder('local') : resolve(options.dataDir);
    for (const folder of ['logs', 'data', 'state']) mkdirSync(join(this.#directory, folder), { recursive: true });
  }

  /** Logs of the processes. */
  get logDirectory(): string {
    return join(this.#directory, 'logs');
  }

  /** Process ids of the workers now, for tests that kill them. */
  get workerPids(): number[] {
    return [...this.#children.values()].filter((child) => child.running).map((child) => child.pid);
  }

  /** @throws DafError ERR_DAF_MEMORY_LIMIT when a task that reserves this many bytes fits into no worker of this cluster. */
  checkFits(job: string, bytes: number): void {
    const { threads } = this.#options;
    if (bytes <= taskBudget(this.workerMemory, threads)) return;
    throw new DafError(
      'ERR_DAF_MEMORY_LIMIT',
      `a task of ${job} needs ${formatBytes(bytes)}; a worker of ${formatBytes(this.workerMemory)} has ${formatBytes(taskBudget(this.workerMemory, threads))} for tasks`,
      { hint: `give workers at least ${formatBytes(workerMemoryFor(bytes, threads))} (--memory, SDK: memory)` },
    );
  }

  /** Called once when the cluster cannot go on. */
  onFailure(listener: (error: DafError) => void): void {
    this.#failures.push(listener);
  }

  async start(): Promise<void> {
    const coordinator = this.#startCoordinator();
    // At once, not after it: a worker tries to connect until somebody listens, and starting takes each of them as long.
    const workers = Promise.all(Array.from({ length: this.workers }, () => this.#startWorker()));
    workers.catch(() => {}); // seen below; where the coordinator fails, its error is the one to tell
    await coordinator.ready;
    await workers;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#children.values()].map((child) => child.stop()));
    await this.#coordinator?.stop();
    this.#removeSocket();
    if (this.#options.dataDir === null) rmSync(this.#directory, { recursive: true, force: true });
  }

  /** What it knows lies in its state: one that ends is started again and takes up where the last one stopped. */
  #startCoordinator(): Child {
    const { heartbeatMs, leaseMs, env } = this.#options;
    const child = new Child({
      entry: COORDINATOR,
      nodeFlags: COORDINATOR_FLAGS,
      args: [
        '--listen',
        this.endpoint,
        '--state',
        join(this.#directory, 'state'),
        '--heartbeat',
        String(heartbeatMs),
        '--lease',
        String(leaseMs),
      ],
      env: { MALLOC_ARENA_MAX: '2', ...env, DAF_TOKEN: this.token },
      logFile: join(this.logDirectory, 'coordinator.log'),
    });
    const first = this.#coordinator === null;
    this.#coordinator = child;
    const started = child.ready.then(
      () => true,
      () => false,
    );
    void child.exited.then(async (how) => {
      if (this.#closed || !this.#mayRestart(`the coordinator ended (${how})`)) return;
      if (first && !(await started)) return; // start() says why
      await new Promise((done) => setTimeout(done, RESTART_PAUSE_MS));
      if (!this.#closed) this.#startCoordinator();
    });
    return child;
  }

  #mayRestart(what: string): boolean {
    this.#restarts += 1;
    if (this.#restarts <= MAX_RESTARTS) return true;
    this.#fail(
      new DafError('ERR_DAF_WORKER_LOST', `${what}, after ${MAX_RESTARTS} restarts of processes`, {
        hint: this.#options.dataDir === null ? 'give a dataDir to keep the logs' : `see the logs in ${this.logDirectory}`,
      }),
    );
    return false;
  }

  /** Resolves once the worker is ready, or one that took its place. */
  #startWorker(): Promise<void> {
    const name = `${hostname()
      .replace(/[^A-Za-z0-9.-]/g, '-')
      .slice(0, 40)}-${process.pid}-${++this.#started}-${randomBytes(3).toString('hex')}`;
    const child = new Child({
      entry: WORKER,
      nodeFlags: workerFlags(this.workerMemory),
      args: [
        '--connect',
        this.endpoint,
        '--name',
        name,
        '--data',
        join(this.#directory, 'data'),
        '--memory',
        String(this.workerMemory),
        '--threads',
        String(this.#options.threads),
      ],
      // A fixed threshold: glibc else raises it to the size of a network's layers, keeps what they leave and fragments (+140 MB).
      env: { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '1048576', ...this.#options.env, DAF_TOKEN: this.token },
      logFile: join(this.logDirectory, `worker-${this.#started}.log`),
    });
    this.#children.set(name, child);
    const replaced = child.exited.then((how) => this.#workerEnded(name, how));
    replaced.catch(() => {}); // seen below, and by the count of restarts
    return child.ready.then(
      () => {},
      (error) => {
        this.#failedStarts += 1;
        if (this.#failedStarts > MAX_FAILED_STARTS) throw error;
        return replaced;
      },
    );
  }

  async #workerEnded(name: string, how: number | string): Promise<void> {
    this.#children.delete(name);
    if (this.#closed) return;
    await this.#sayBye(name).catch(() => {});
    if (!this.#mayRestart(`a worker ended (${how})`)) return;
    await new Promise((done) => setTimeout(done, RESTART_PAUSE_MS));
    if (!this.#closed) await this.#startWorker();
  }

  /**
   * Speaks for a worker that is known to be dead, so that its tasks need not wait for their leases to end: hello moves the name to this
   * connection, bye ends it.
   */
  async #sayBye(worker: string): Promise<void> {
    // Here and not above: the processes are to start before this one has loaded its sockets.
    const { DealerSocket, encode } = await import('../wire/index.js');
    await new Promise<void>((resolve) => {
      const socket = new DealerSocket(this.endpoint, {
        onConnected: () => {
          const { threads } = this.#options;
          const hello = { type: 'worker-hello', protocol: PROTOCOL, worker, host: hostname(), pid: 0, threads } as const;
          void socket.send(encode({ ...hello, budgetBytes: this.workerMemory, endpoint: null, running: [], token: this.token }));
          void socket.send(encode({ type: 'worker-bye', worker })).then(() => setTimeout(done, 50));
        },
        onMessage: () => {},
      });
      const late = setTimeout(() => done(), 1000);
      const done = (): void => {
        clearTimeout(late);
        void socket.close();
        resolve();
      };
    });
  }

  #fail(error: DafError): void {
    if (this.#closed) return;
    for (const listener of this.#failures) listener(error);
  }
}
