import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

// Python is not compiled: it stays where the sources are.
const SCRIPT = fileURLToPath(new URL('../../../benchmarks/peers/torch_peer.py', import.meta.url));

export type FieldKind = 'classic' | 'hashgrid';

/** What a field learns from: files of float32 [rays][9], origins, unit directions, colours over the background. */
export interface RayFiles {
  readonly train: string;
  readonly test: string;
  readonly boxMin: readonly number[];
  readonly boxMax: readonly number[];
  readonly background: readonly number[];
}

/** PyTorch in a process of its own, which measures when it is asked and sleeps otherwise. */
export class TorchPeer implements AsyncDisposable {
  readonly #child;
  readonly #lines: Interface;
  readonly #answers: AsyncIterator<string>;
  #version = '';

  private constructor(python: string) {
    this.#child = spawn(python, [SCRIPT], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
    });
    this.#lines = createInterface({ input: this.#child.stdout });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  /** @throws Error where the script ends before it is ready */
  static async start(python: string): Promise<TorchPeer> {
    const peer = new TorchPeer(python);
    peer.#version = (await peer.#answer<{ torch: string }>()).torch;
    return peer;
  }

  get version(): string {
    return this.#version;
  }

  /** Samples a second of computing time, forward and backward. */
  async rate(kind: FieldKind, seconds: number): Promise<number> {
    return (await this.#ask<{ rate: number }>('rate', { kind, seconds })).rate;
  }

  /** Begins to train a field, in the place of the one before. */
  async load(kind: FieldKind, rays: RayFiles): Promise<void> {
    await this.#ask('load', { kind, ...rays });
  }

  /** Goes on for `seconds` of computing time. @returns the rays that were learnt from, and the computing time that it took */
  async train(seconds: number): Promise<{ readonly rays: number; readonly seconds: number }> {
    return this.#ask('train', { seconds });
  }

  /** Of the held-out rays taken together, dB. */
  async psnr(): Promise<number> {
    return (await this.#ask<{ psnr: number }>('psnr', {})).psnr;
  }

  async #ask<T>(what: string, request: object): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify({ do: what, ...request })}\n`);
    return this.#answer<T>();
  }

  async #answer<T>(): Promise<T> {
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error('the PyTorch peer ended; what it said is above');
    return JSON.parse(value) as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    this.#lines.close();
  }
}
