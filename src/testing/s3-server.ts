import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { S3Client } from '../engine/stores/s3/client.js';
import { s3Settings } from '../engine/stores/s3/settings.js';
import { findProgram, freePort } from './redis-server.js';

const START_MS = 30_000;

/**
 * An S3 server that tests may start: `DAF_S3_SERVER`, else on PATH versitygw (a server over files) or moto_server (a mock, which keeps
 * objects in memory and takes any signature); null where there is none.
 */
export function s3Program(): string | null {
  const given = process.env['DAF_S3_SERVER'];
  if (given !== undefined && given !== '') return given;
  return findProgram(['versitygw', 'moto_server']);
}

/** True where the server only plays one: it checks no signatures. */
export function isMockedS3(): boolean {
  return basename(s3Program() ?? '') === 'moto_server';
}

/** An S3 server of the test's own: loopback, its own directory, gone with the test. */
export class S3Server {
  /** What processes need to know to use it. */
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  readonly #directory: string;
  #process: ChildProcess | null = null;

  private constructor(port: number, directory: string) {
    this.port = port;
    this.#directory = directory;
    this.env = {
      AWS_ACCESS_KEY_ID: 'daf-test',
      AWS_SECRET_ACCESS_KEY: 'daf-test-secret',
      AWS_SESSION_TOKEN: '',
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
      AWS_CONFIG_FILE: join(directory, 'none'),
      AWS_SHARED_CREDENTIALS_FILE: join(directory, 'none'),
    };
  }

  /** Starts it with one empty bucket for each name. */
  static async start(test: { teardown(fn: () => unknown): void }, buckets: readonly string[]): Promise<S3Server> {
    const directory = mkdtempSync(join(tmpdir(), 'daf-s3-'));
    const server = new S3Server(await freePort(), directory);
    test.teardown(async () => {
      await server.kill();
      rmSync(directory, { recursive: true, force: true });
    });
    await server.start();
    for (const bucket of buckets) await server.client(bucket).send({ method: 'PUT' });
    return server;
  }

  client(bucket: string): S3Client {
    return new S3Client(s3Settings(this.env), bucket);
  }

  async start(): Promise<void> {
    const [objects, meta] = ['objects', 'meta'].map((name) => join(this.#directory, name)) as [string, string];
    for (const folder of [objects, meta]) mkdirSync(folder, { recursive: true });
    const { AWS_ACCESS_KEY_ID: access, AWS_SECRET_ACCESS_KEY: secret } = this.env;
    const args = isMockedS3()
      ? ['-H', '127.0.0.1', '-p', String(this.port)]
      : ['--port', `127.0.0.1:${this.port}`, '--quiet', 'posix', '--sidecar', meta, objects];
    this.#process = spawn(s3Program()!, args, {
      stdio: 'ignore',
      env: { PATH: process.env['PATH'], HOME: this.#directory, ROOT_ACCESS_KEY: access, ROOT_SECRET_KEY: secret },
    });
    const until = performance.now() + START_MS;
    while (!(await answers(this.port))) {
      if (performance.now() > until) throw new Error('the S3 server did not start');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
