import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { DafError } from '../../core/contracts/errors.js';
import type { KeyPair } from '../wire/index.js';

/** What a worker is told over its standard input, as one line of JSON: arguments and environments are seen by others. */
export interface WorkerSecrets {
  readonly token: string | null;
  readonly keys: KeyPair | null;
  /** The coordinator's public key. */
  readonly serverKey: string | null;
}

export interface SshOptions {
  /** As ssh names them: `user@host`, or a Host of its configuration. One worker each; a host named twice gets two. */
  readonly hosts: readonly string[];
  /** The command that is `daf` there. */
  readonly daf: string;
  /** Of `daf worker`, without secrets. */
  readonly args: readonly string[];
  /** A configuration file for ssh instead of the user's. */
  readonly config: string | null;
  readonly secrets: WorkerSecrets;
  /** What a host's worker or ssh has to say. */
  log(host: string, line: string): void;
}

const TERM_MS = 5000;

/**
 * Workers on other hosts, each below an ssh of the user's own. A worker ends when its standard input does: with this launcher, however it
 * ends, and with the connection.
 */
export class SshWorkers {
  /** Resolves when all have ended: how many ended by an error. */
  readonly ended: Promise<number>;
  readonly #children: readonly ChildProcess[];

  constructor(options: SshOptions) {
    this.#children = options.hosts.map((host) => startOne(host, options));
    const ends = this.#children.map((child, i) => endOf(child, options.hosts[i]!, options));
    this.ended = Promise.all(ends).then((codes) => codes.filter((code) => code !== 0).length);
  }

  /** Lets the workers end in an orderly way. */
  async close(): Promise<void> {
    for (const child of this.#children) child.stdin?.end();
    const slow = setTimeout(() => {
      for (const child of this.#children) child.kill('SIGTERM');
    }, TERM_MS);
    await this.ended;
    clearTimeout(slow);
  }
}

function startOne(host: string, { daf, args, config, secrets, log }: SshOptions): ChildProcess {
  if (host.startsWith('-')) throw new DafError('ERR_DAF_BAD_OPTION', `${host}: a host’s name does not begin with a dash`);
  const remote = ['exec', daf, 'worker', '--stdin', ...args.map(quoted)].join(' ');
  const keepAlive = ['-o', 'ServerAliveInterval=15', '-o', 'ServerAliveCountMax=4'];
  const own = config === null ? [] : ['-F', config];
  const child = spawn('ssh', ['-T', ...own, '-o', 'BatchMode=yes', ...keepAlive, '--', host, remote], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => {}); // it has ended: its exit says why
  child.stdin.write(`${JSON.stringify(secrets)}\n`);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => log(host, line));
  }
  return child;
}

function endOf(child: ChildProcess, host: string, { log }: SshOptions): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      log(host, `ssh cannot be started: ${error.message}`);
      resolve(127);
    });
    child.once('exit', (code, signal) => {
      if (code !== 0) log(host, code === 255 ? 'ssh could not connect, or lost the connection' : `ended with ${signal ?? code}`);
      resolve(code ?? 1);
    });
  });
}

/** One word for the remote shell. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
