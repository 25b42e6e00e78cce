import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MB = 2 ** 20;
const SAMPLE_MS = 20;
const REMOVE_MS = 2000;

export interface Walled {
  /** Wall time of the command. */
  readonly seconds: number;
  /** Anonymous + shared memory of all processes in the group, the largest sample; null without a group. Page cache excluded. */
  readonly peakBytes: number | null;
  readonly stdout: string;
}

/** Runs commands inside one memory limit, all their processes and their page cache together: a cgroup of this benchmark's own. */
export class MemoryWall {
  readonly bytes: number;
  /** Why there is no limit; null where there is one. */
  readonly missing: string | null;
  readonly #folder: string;
  readonly #version: 1 | 2;

  constructor(bytes: number) {
    this.bytes = bytes;
    const { folder, version } = ownGroup();
    this.#version = version;
    this.#folder = join(folder, `daf-bench-${process.pid}-${Date.now().toString(36)}`);
    this.missing = this.#make();
  }

  /** For the line that a row is named by. */
  get words(): string {
    return this.missing === null ? `all in one limit of ${this.bytes / MB} MB` : `no memory limit (${this.missing})`;
  }

  /** @throws Error where the command fails, with the end of what it said, or was killed for its memory */
  async run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Walled> {
    const killsBefore = this.#kills();
    const begun = performance.now();
    const child: ChildProcess =
      this.missing === null
        ? spawn('sh', ['-c', 'echo $$ > "$0" && exec "$@"', join(this.#folder, 'cgroup.procs'), command, ...args], { env })
        : spawn(command, args, { env });
    let stdout = '';
    let stderr = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-4000);
    });
    let peak = 0;
    const sampler = setInterval(() => {
      peak = Math.max(peak, this.#anonymous());
    }, SAMPLE_MS);
    const code = await new Promise<number | string | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => resolve(signal ?? status));
    }).finally(() => clearInterval(sampler));
    const seconds = (performance.now() - begun) / 1000;
    if (code !== 0)
      throw new Error(`${command} ${args.slice(0, 4).join(' ')} … ended with ${code}: ${stdout.slice(-1000)}${stderr}`);
    const kills = this.#kills() - killsBefore;
    if (kills > 0) throw new Error(`${command}: ${kills} processes were killed for their memory`);
    return { seconds, peakBytes: this.missing === null ? peak : null, stdout };
  }

  async remove(): Promise<void> {
    if (this.missing !== null) return;
    // The group is busy until the last process in it has been reaped.
    for (const until = performance.now() + REMOVE_MS; performance.now() < until; ) {
      try {
        rmdirSync(this.#folder);
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  #make(): string | null {
    try {
      mkdirSync(this.#folder);
      writeFileSync(join(this.#folder, this.#version === 1 ? 'memory.limit_in_bytes' : 'memory.max'), String(this.bytes));
      return null;
    } catch (error) {
      if (existsSync(this.#folder)) rmdirSync(this.#folder);
      return `a cgroup cannot be made: ${(error as Error).message}`;
    }
  }

  #anonymous(): number {
    const stat = readFileSync(join(this.#folder, 'memory.stat'), 'latin1');
    const names = this.#version === 1 ? ['total_rss', 'total_shmem'] : ['anon', 'shmem'];
    return names.reduce((sum, name) => sum + Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0), 0);
  }

  #kills(): number {
    if (this.missing !== null) return 0;
    const file = join(this.#folder, this.#version === 1 ? 'memory.oom_control' : 'memory.events');
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(file, 'latin1'))?.[1] ?? 0);
  }
}

/** The memory group of this process: what may be made below it counts against its limits too. */
function ownGroup(): { readonly folder: string; readonly version: 1 | 2 } {
  const groups = existsSync('/proc/self/cgroup') ? readFileSync('/proc/self/cgroup', 'latin1') : '';
  const first = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(\/.*)$/m.exec(groups)?.[1];
  if (first !== undefined) {
    const folder = join('/sys/fs/cgroup/memory', first);
    // In a container the path may be the host's.
    return { folder: existsSync(folder) ? folder : '/sys/fs/cgroup/memory', version: 1 };
  }
  return { folder: join('/sys/fs/cgroup', /^0::(\/.*)$/m.exec(groups)?.[1] ?? ''), version: 2 };
}
