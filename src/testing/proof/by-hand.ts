import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Cluster } from '../../engine/cluster/cluster.js';
import { writeKeyPair } from '../../engine/wire/keys.js';

const PROGRAM = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
const START_MS = 60_000;
const TOKEN = 'of this test';
/** Where the coordinator listens unless a test says otherwise: below the cluster's own folder, so that no other test can meet it. */
const SOCKET = 'coordinator.ipc';

export interface Ended {
  /** Exit code, or the signal's name. */
  readonly how: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a process of the cluster is started. */
export interface Place {
  /** Put before the command, e.g. `['ip', 'netns', 'exec', name]`. */
  readonly prefix?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** More arguments. */
  readonly args?: readonly string[];
}

export interface ByHandOptions {
  readonly heartbeatMs?: number;
  readonly leaseMs?: number;
  /** Default: one socket file in the folder. */
  readonly listen?: readonly string[];
  /** Where workers and clients connect. Default: what is listened on. */
  readonly connect?: string;
  /** Each role has a key, all of them on the coordinator's list: then addresses of other machines can be listened on. */
  readonly keys?: boolean;
}

/** A cluster as a user starts it: `daf coordinator` and `daf worker`, each a process of its own, watched by nobody but the test. */
export class ByHand {
  readonly folder: string;
  readonly #options: ByHandOptions;
  readonly #endpoint: string;
  readonly #processes = new Set<ChildProcess>();
  readonly #env: Readonly<Record<string, string>> = { DAF_TOKEN: TOKEN };
  readonly #keys: string | null;
  /** Ends of processes so far, in order, those that stop() brings about left out. */
  readonly ends: { readonly role: string; readonly how: number | string }[] = [];
  coordinator: ChildProcess | null = null;
  readonly workers = new Set<ChildProcess>();
  #stopping = false;
  #started = 0;

  /** @param folder logs, state and data lie here; commands run here */
  constructor(test: { teardown(fn: () => unknown): void }, folder: string, options: ByHandOptions = {}) {
    this.folder = folder;
    this.#options = options;
    this.#endpoint = options.connect ?? `ipc://${join(folder, SOCKET)}`;
    this.#keys = options.keys === true ? join(folder, 'keys') : null;
    for (const role of ['coordinator', 'worker', 'client']) if (this.#keys !== null) writeKeyPair(this.#keys, role);
    test.teardown(() => this.stop());
  }

  async startCoordinator({ prefix = [], env = {}, args = [] }: Place = {}): Promise<ChildProcess> {
    const { heartbeatMs = 100, leaseMs = 2000, listen = [this.#endpoint] } = this.#options;
    const timing = ['--heartbeat', String(heartbeatMs), '--lease', String(leaseMs)];
    const listening = listen.flatMap((endpoint) => ['--listen', endpoint]);
    const command = ['coordinator', ...listening, '--state', 'state', ...timing, ...args];
    this.coordinator = this.#spawn('coordinator', prefix, command, env);
    await this.#until(() => this.log(this.coordinator!).includes('listening on'), this.coordinator);
    return this.coordinator;
  }

  /** Resolves when the process runs, which is before the coordinator knows of it. */
  startWorker({ prefix = [], env = {}, args = [] }: Place = {}): ChildProcess {
    const data = args.includes('--data') ? [] : ['--data', 'data'];
    const worker = this.#spawn('worker', prefix, ['worker', '--connect', this.#endpoint, ...data, ...args], env);
    this.workers.add(worker);
    worker.once('exit', () => this.workers.delete(worker));
    return worker;
  }

  /** As an init system does: one that ends is started again, until stop(). */
  keepWorker(place: Place = {}): void {
    if (this.#stopping) return;
    this.startWorker(place).once('exit', () => setTimeout(() => this.keepWorker(place), 50));
  }

  keepCoordinator(place: Place = {}): Promise<ChildProcess> {
    const started = this.startCoordinator(place);
    this.coordinator!.once('exit', () => {
      if (!this.#stopping) setTimeout(() => void this.keepCoordinator(place).catch(() => {}), 50);
    });
    return started;
  }

  /** Waits until so many workers are known to the coordinator. */
  async workersReady(count: number): Promise<void> {
    await using client = await this.client();
    for (const begun = Date.now(); (await client.workers()).length < count; await sleep(50)) {
      if (Date.now() - begun > START_MS) throw new Error(`no ${count} workers after ${START_MS} ms`);
    }
  }

  /** A client in this process. */
  client(): Promise<Cluster> {
    const { DAF_KEY: key, DAF_SERVER_KEY: serverKey } = this.#secrets('client');
    const keys = key === undefined || serverKey === undefined ? {} : { key, serverKey };
    return Cluster.connect(this.#endpoint, { token: TOKEN, timeoutMs: START_MS, ...keys });
  }

  /** Waits until a coordinator runs that was kept; gives it. */
  async coordinatorUp(): Promise<ChildProcess> {
    for (const begun = Date.now(); ; await sleep(20)) {
      const child = this.coordinator;
      if (child !== null && child.exitCode === null && child.signalCode === null && this.log(child).includes('listening on'))
        return child;
      if (Date.now() - begun > START_MS) throw new Error(`no coordinator after ${START_MS} ms`);
    }
  }

  /** Submits a job and waits for it, as a process of its own. */
  submit(job: string, args: readonly string[], place: Place = {}): Promise<Ended> {
    return this.ask(['submit', job, ...args], place);
  }

  /** A command that talks to the coordinator. */
  ask(args: readonly string[], { prefix = [], env = {} }: Place = {}): Promise<Ended> {
    return this.daf([...args, '--connect', this.#endpoint], { prefix, env });
  }

  async daf(args: readonly string[], { prefix = [], env = {} }: Place = {}): Promise<Ended> {
    const [program, ...rest] = [...prefix, process.execPath, PROGRAM, ...args];
    const child = spawn(program!, rest, {
      cwd: this.folder,
      env: { ...process.env, ...this.#env, ...this.#secrets('client'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#processes.add(child);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    this.#processes.delete(child);
    return { how: signal ?? code ?? 1, stdout, stderr };
  }

  /** What a process has written so far. */
  log(child: ChildProcess): string {
    return readFileSync(this.#logs.get(child)!, 'utf8');
  }
  readonly #logs = new Map<ChildProcess, string>();

  /** Orderly: SIGTERM to workers, then to the coordinator; SIGKILL to what does not listen or is stopped. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const { coordinator } = this;
    for (const worker of this.workers) await end(worker);
    for (const child of this.#processes) if (child !== coordinator) await end(child);
    if (coordinator !== null) await end(coordinator);
  }

  #spawn(role: string, prefix: readonly string[], args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    const path = join(this.folder, `${role}-${++this.#started}.log`);
    const log = openSync(path, 'a');
    const [program, ...rest] = [...prefix, process.execPath, PROGRAM, ...args];
    const child = spawn(program!, rest, {
      cwd: this.folder,
      env: { ...process.env, ...this.#env, ...this.#secrets(role), ...env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#logs.set(child, path);
    this.#processes.add(child);
    child.once('exit', (code, signal) => {
      this.#processes.delete(child);
      if (!this.#stopping) this.ends.push({ role, how: signal ?? code ?? 1 });
    });
    return child;
  }

  #secrets(role: string): Readonly<Record<string, string>> {
    const keys = this.#keys;
    if (keys === null) return {};
    const own = { DAF_KEY: join(keys, `${role}.key`) };
    return role === 'coordinator' ? { ...own, DAF_ALLOW: keys } : { ...own, DAF_SERVER_KEY: join(keys, 'coordinator.pub') };
  }

  async #until(condition: () => boolean, child: ChildProcess): Promise<void> {
    for (const begun = Date.now(); !condition(); await sleep(20)) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() - begun > START_MS)
        throw new Error(`a process did not start: ${this.log(child)}`);
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 4000);
  await ended;
  clearTimeout(late);
}
