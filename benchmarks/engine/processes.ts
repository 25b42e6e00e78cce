import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '#daf/engine/launch/child.js';
import { COORDINATOR_FLAGS, workerFlags } from '#daf/engine/launch/node-flags.js';
import { freshIpcEndpoint } from '#daf/engine/wire/index.js';
import { Peaks, watchPeaks } from './peaks.js';

/** USER_HZ: what /proc counts computing time in, on every Linux. */
const TICKS = 100;
const COORDINATOR = new URL('../../engine/coordinator/main.js', import.meta.url).href;
const WORKER = new URL('../../engine/worker/main.js', import.meta.url).href;

export interface Timing {
  readonly heartbeatMs: number;
  readonly leaseMs: number;
}

/** A coordinator and workers as single processes that nobody restarts: what a cluster of several machines looks like from within. */
export class Processes implements AsyncDisposable {
  readonly endpoint: string;
  readonly timing: Timing;
  readonly #folder: string;
  readonly #removeSocket: () => void;
  readonly #children: { readonly name: string; readonly child: Child }[] = [];
  readonly #unwatch: () => void;
  #started = 0;
  #workers = 0;

  /** @param peaks takes the memory of all of them */
  constructor(folder: string, timing: Timing, peaks: Peaks = new Peaks()) {
    const { endpoint, remove } = freshIpcEndpoint();
    this.endpoint = endpoint;
    this.timing = timing;
    this.#removeSocket = remove;
    this.#folder = folder;
    for (const each of ['state', 'data', 'logs']) mkdirSync(join(folder, each), { recursive: true });
    this.#unwatch = watchPeaks(peaks, () => this.#children.map(({ name, child }) => [name, child.pid] as const));
  }

  coordinator(): Promise<Child> {
    const { heartbeatMs, leaseMs } = this.timing;
    const args = ['--listen', this.endpoint, '--state', join(this.#folder, 'state')];
    args.push('--heartbeat', String(heartbeatMs), '--lease', String(leaseMs));
    return this.#start('coordinator', COORDINATOR, COORDINATOR_FLAGS, args);
  }

  /** @param megabytes its budget. */
  worker(megabytes = 256): Promise<Child> {
    const args = ['--connect', this.endpoint, '--name', `worker-${this.#started}`, '--data', join(this.#folder, 'data')];
    return this.#start(`worker ${++this.#workers}`, WORKER, workerFlags(megabytes * 2 ** 20), [
      ...args,
      '--memory',
      String(megabytes * 2 ** 20),
      '--threads',
      '1',
    ]);
  }

  async #start(name: string, entry: string, nodeFlags: readonly string[], args: readonly string[]): Promise<Child> {
    const logFile = join(this.#folder, 'logs', `${this.#started++}.log`);
    const child = new Child({ entry, nodeFlags, args, env: {}, logFile });
    this.#children.push({ name, child });
    await child.ready;
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unwatch();
    await Promise.all(this.#children.reverse().map(({ child }) => child.stop()));
    this.#removeSocket();
  }
}

/** Computing time that a process has used, all its threads together, seconds. */
export function computingSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name, in parentheses, may hold anything; utime and stime are the 12th and 13th fields after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Kills without a word, as a power cut does. */
export async function kill(child: Child): Promise<void> {
  process.kill(child.pid, 'SIGKILL');
  await child.exited;
}
