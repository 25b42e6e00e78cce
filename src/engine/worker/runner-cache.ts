import type { JobSpec } from '../../core/contracts/job.js';
import type { StageRunner } from '../../core/contracts/stage.js';
import type { TaskInput } from '../../core/contracts/task.js';

interface RunnerModule {
  createRunner(codePath: string, spec: JobSpec, step: number): Promise<StageRunner>;
}

/** The runners of the last few steps of a thread: loading code for every task would cost more than most tasks. */
export class RunnerCache {
  readonly #limit: number;
  readonly #runners = new Map<string, Promise<StageRunner>>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  async get(input: TaskInput): Promise<StageRunner> {
    const key = `${input.spec.id}/${input.assignment.task.step}`;
    let runner = this.#runners.get(key);
    // Moves to the end: the first one is always the one unused for longest.
    this.#runners.delete(key);
    runner ??= create(input);
    this.#runners.set(key, runner);
    await this.#trim();
    try {
      return await runner;
    } catch (error) {
      this.#runners.delete(key);
      throw error;
    }
  }

  async #trim(): Promise<void> {
    for (const [key, runner] of this.#runners) {
      if (this.#runners.size <= this.#limit) return;
      this.#runners.delete(key);
      await runner.then((loaded) => loaded.dispose?.()).catch(() => {});
    }
  }
}

async function create(input: TaskInput): Promise<StageRunner> {
  const module = (await import(input.runnerUrl)) as RunnerModule;
  return module.createRunner(input.codePath, input.spec, input.assignment.task.step);
}
