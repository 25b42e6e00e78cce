import { DafError } from '../../core/contracts/errors.js';
import { type JobSpec, jobPrefix } from '../../core/contracts/job.js';
import type { BlobStore } from '../../core/contracts/stores.js';

export interface CleanWorld {
  openOutput(url: string): BlobStore;
  sleep(ms: number): Promise<void>;
  log(level: 'warn', message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Removes the temporary files of ended jobs. */
export class Cleaner {
  readonly #world: CleanWorld;
  readonly #patienceMs: number;
  readonly #running = new Set<Promise<void>>();
  #turn: Promise<void> = Promise.resolve();

  /** @param patienceMs how long attempts that were told to stop may go on writing */
  constructor(world: CleanWorld, patienceMs: number) {
    this.#world = world;
    this.#patienceMs = patienceMs;
  }

  /** @param again attempts still ran: looks once more when they have stopped */
  clean(spec: JobSpec, again: boolean): void {
    const work = this.#clean(spec, again).catch((error: unknown) => {
      const { message } = DafError.from(error);
      this.#world.log('warn', 'temporary files of a job were left behind', { job: spec.id, error: message });
    });
    this.#running.add(work);
    void work.then(() => this.#running.delete(work));
  }

  /** Removals under way are waited for. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  async #clean({ id, output: url }: JobSpec, again: boolean): Promise<void> {
    const output = this.#world.openOutput(url);
    // One after the other: a restarted coordinator looks after all its ended jobs at once.
    const turn = this.#turn.then(() => output.deletePrefix(jobPrefix(id)));
    this.#turn = turn.catch(() => {});
    await turn;
    if (!again) return;
    await this.#world.sleep(this.#patienceMs);
    await output.deletePrefix(jobPrefix(id));
  }
}
