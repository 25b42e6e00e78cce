import type { JobSpec } from '../../core/contracts/job.js';
import type { StageRunner } from '../../core/contracts/stage.js';
import type { TaskInput } from '../../core/contracts/task.js';

interface RunnerModule {
  createRunner(codePath: string, spec: JobSpec): Promise<StageRunner>;
}

/** The runners of the last few jobs of a thread: loading code for every task would cost more than most tasks. */
export class RunnerCache {
  readonly #limit: number;
  readonly #runners = new Map<string, Promise<StageRunner>>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  async get(input: TaskInput): Promise<StageRunner> {
    const job = input.spec.id;
    let runner = this.#runners.get(job);
    // Moves to the end: the first one is always the one unused for longest.
    this.#runners.delete(job);
    runner ??= create(input);
    this.#runners.set(job, runner);
    await this.#trim();
    try {
      return await runner;
    } catch (error) {
      this.#runners.delete(job);
      throw error;
    }
  }

  async #trim(): Promise<void> {
    for (const [job, runner] of this.#runners) {
      if (this.#runners.size <= this.#limit) return;
      this.#runners.delete(job);
      await runner.then((loaded) => loaded.dispose?.()).catch(() => {});
    }
  }
}

async function create(input: TaskInput): Promise<StageRunner> {
  const module = (await import(input.runnerUrl)) as RunnerModule;
  return module.createRunner(input.codePath, input.spec);
}
