import { hostname } from 'node:os';
import { DafError, fromWire, toWire, type WireError } from '../../core/contracts/errors.js';
import type { JobStatus } from '../../core/contracts/job.js';
import type { BlobStore, StoredTask } from '../../core/contracts/stores.js';
import { publishJob } from './publish.js';
import { type ProcessPeak, reportJson } from './report.js';
import type { StateSteps } from './state-steps.js';

const RETRY_MS = 200;
const MAX_RETRY_MS = 5000;
const TRIES = 8;

export interface PublishWorld {
  openOutput(url: string): BlobStore;
  sleep(ms: number): Promise<void>;
  /** Own peak of anonymous + shared memory, bytes. */
  ownPeak(): number;
  log(level: 'warn', message: string, fields: Readonly<Record<string, unknown>>): void;
  status(job: string): JobStatus | null;
  /** Workers, and the clients of a job. */
  processes(job: string): readonly ProcessPeak[];
  /** Why a job must not be published though it is complete. */
  stray(job: string): WireError | null;
  isClosed(): boolean;
}

/** Publishes complete jobs, again where the output store fails for a moment. */
export class Publisher {
  readonly #steps: StateSteps;
  readonly #world: PublishWorld;

  constructor(steps: StateSteps, world: PublishWorld) {
    this.#steps = steps;
    this.#world = world;
  }

  /** Null once it is published, else why it cannot be. */
  async publish(job: string): Promise<WireError | null> {
    for (let tries = 1, pause = RETRY_MS; ; tries++, pause = Math.min(MAX_RETRY_MS, pause * 2)) {
      try {
        await this.#once(job);
        return null;
      } catch (error) {
        const daf = DafError.from(error, 'ERR_DAF_IO');
        if (this.#world.isClosed() || (daf.code !== 'ERR_DAF_IO' && !daf.retryable) || tries >= TRIES) {
          if (daf.code === 'ERR_DAF_OUTPUT_CONFLICT') return toWire(daf);
          if (this.#world.stray(job) !== null) return this.#world.stray(job);
          const why = `job ${job} could not be published`;
          return toWire(new DafError('ERR_DAF_JOB_FAILED', why, { hint: daf.hint, cause: daf }));
        }
        this.#world.log('warn', 'publishing failed; trying again', { job, error: daf.message });
        await this.#world.sleep(pause);
      }
    }
  }

  async #once(job: string): Promise<void> {
    const stored = await this.#steps.job(job);
    const status = this.#world.status(job);
    if (stored === null || status === null) throw new DafError('ERR_DAF_NO_SUCH_JOB', `no job ${job}`);
    const { spec } = stored;
    const peakBytes = this.#world.ownPeak();
    const own = { role: 'coordinator', name: 'coordinator', host: hostname(), pid: process.pid, peakBytes } as const;
    const processes = [own, ...this.#world.processes(job)];
    const report = (tasks: AsyncIterable<readonly StoredTask[]>): AsyncIterable<Uint8Array> =>
      reportJson(spec, status, processes, tasks);
    await publishJob(spec, this.#steps.tasks(spec), this.#world.openOutput(spec.output), report, async () => {
      if (this.#world.isClosed()) throw new DafError('ERR_DAF_CLOSED', 'the coordinator has ended');
      const stray = this.#world.stray(job);
      if (stray !== null) throw fromWire(stray);
      await this.#steps.checkTerm();
    });
  }
}
