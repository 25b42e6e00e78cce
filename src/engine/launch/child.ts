import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { DafError, fromWire } from '../../core/contracts/errors.js';
import type { ProcessLine } from '../../core/contracts/process.js';

const READY_FD = 3;
const START_MS = 30_000;
const TERM_MS = 3000;

export interface ChildOptions {
  /** URL of the module to run. */
  readonly entry: string;
  readonly nodeFlags: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** stdout and stderr are appended to it. */
  readonly logFile: string;
}

type Ready = Extract<ProcessLine, { event: 'ready' }>;

/** A process of ours: ready once it says so, gone with this one. */
export class Child {
  readonly ready: Promise<Ready>;
  /** Exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
  readonly #process: ChildProcess;
  #running = true;

  constructor(options: ChildOptions) {
    const log = openSync(options.logFile, 'a');
    this.#process = spawn(
      process.execPath,
      [
        ...options.nodeFlags,
        fileURLToPath(options.entry),
        ...options.args,
        '--ready-fd',
        String(READY_FD),
        '--parent-pid',
        String(process.pid),
      ],
      { stdio: ['ignore', log, log, 'pipe'], env: { ...inherited(), ...options.env } },
    );
    closeSync(log);
    const child = this.#process;
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#running = false;
        resolve(signal ?? code ?? 1);
      });
      child.once('error', () => {
        this.#running = false;
        resolve(127);
      });
    });
    this.ready = this.#awaitReady(options);
    this.ready.catch(() => {}); // seen by whoever awaits it
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  get running(): boolean {
    return this.#running;
  }

  /** SIGTERM, and SIGKILL for one that does not listen. */
  async stop(): Promise<void> {
    if (this.#running) this.#process.kill('SIGTERM');
    const late = setTimeout(() => this.kill(), TERM_MS);
    await this.exited;
    clearTimeout(late);
  }

  kill(): void {
    if (this.#running) this.#process.kill('SIGKILL');
  }

  async #awaitReady(options: ChildOptions): Promise<Ready> {
    const pipe = this.#process.stdio[READY_FD] as Readable;
    const late = setTimeout(() => this.kill(), START_MS);
    try {
      for await (const text of createInterface({ input: pipe })) {
        const line = JSON.parse(text) as ProcessLine;
        if (line.event === 'failed') throw fromWire(line.error);
        pipe.resume();
        (pipe as Readable & { unref?(): void }).unref?.();
        return line;
      }
    } finally {
      clearTimeout(late);
    }
    const how = await this.exited;
    throw new DafError('ERR_DAF_WORKER_LOST', `a process ended (${how}) before it was ready: ${lastLines(options.logFile)}`);
  }
}

/** Of this process's environment everything but what is meant for itself. */
function inherited(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  delete env['NODE_OPTIONS'];
  delete env['DAF_TOKEN'];
  delete env['DAF_STATE'];
  return env;
}

function lastLines(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim().split('\n').slice(-5).join(' | ').slice(-600);
  } catch {
    return 'no log';
  }
}
