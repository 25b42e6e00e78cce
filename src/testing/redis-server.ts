import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NAMES = ['redis-server', 'valkey-server'];
const START_MS = 10_000;

/** The server's program: `DAF_REDIS_SERVER`, else what PATH has; null where there is none. */
export function redisProgram(): string | null {
  const given = process.env['DAF_REDIS_SERVER'];
  if (given !== undefined && given !== '') return given;
  return findProgram(NAMES);
}

/** The first of these programs that PATH has. */
export function findProgram(names: readonly string[]): string | null {
  const folders = (process.env['PATH'] ?? '').split(':').filter((folder) => folder !== '');
  for (const name of names) {
    for (const folder of folders) if (existsSync(join(folder, name))) return join(folder, name);
  }
  return null;
}

/** A port of 127.0.0.1 that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** A Redis server of the test's own: loopback, its own directory, gone with the test. It may be killed and started again. */
export class RedisServer {
  readonly port: number;
  readonly directory: string;
  readonly #program: string;
  readonly #args: readonly string[];
  #process: ChildProcess | null = null;

  private constructor(program: string, port: number, directory: string, args: readonly string[]) {
    this.#program = program;
    this.port = port;
    this.directory = directory;
    this.#args = args;
  }

  /**
   * @param args further settings, e.g. `--appendfsync`, `no`
   * @param as takes a port over, with another server's directory
   */
  static async start(
    test: { teardown(fn: () => unknown): void },
    args: readonly string[] = [],
    as: { readonly port: number; readonly directory: string } | null = null,
  ): Promise<RedisServer> {
    const directory = as?.directory ?? mkdtempSync(join(tmpdir(), 'daf-redis-'));
    const server = new RedisServer(redisProgram()!, as?.port ?? (await freePort()), directory, args);
    test.teardown(async () => {
      await server.kill();
      rmSync(directory, { recursive: true, force: true });
    });
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Resolves once it answers, its append-only file loaded. */
  async start(): Promise<void> {
    const common = [
      ...['--bind', '127.0.0.1', '--port', String(this.port), '--dir', this.directory, '--save', ''],
      ...['--daemonize', 'no', '--repl-diskless-sync-delay', '0'],
    ];
    this.#process = spawn(this.#program, [...common, '--appendonly', 'yes', '--appendfsync', 'always', ...this.#args], {
      stdio: 'ignore',
    });
    const until = performance.now() + START_MS;
    while (!/^(\+PONG|-NOAUTH)/.test(await this.ask('PING').catch(() => ''))) {
      if (performance.now() > until) throw new Error('redis-server did not start');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The first bytes of the answer to one inline command; a client of its own, so that tests do not trust ours. */
  ask(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket: Socket = connect(this.port, '127.0.0.1', () => socket.write(`${command}\r\n`));
      socket.once('data', (bytes) => {
        resolve(bytes.toString());
        socket.destroy();
      });
      socket.once('error', reject);
    });
  }

  /** `kill -9`; resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }
}
