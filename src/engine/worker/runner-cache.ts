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
  /** The one used last, which is never disposed of. */
  #last: { readonly job: string; readonly step: number; readonly runner: StageRunner } | null = null;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** No promise for the step of the task before. */
  get(input: TaskInput): StageRunner | Promise<StageRunner> {
    const { id } = input.spec;
    const { step } = input.assignment.task;
    return this.#last?.job === id && this.#last.step === step ? this.#last.runner : this.#load(input, id, step);
  }

  async #load(input: TaskInput, job: string, step: number): Promise<StageRunner> {
    const key = `${job}/${step}`;
    let runner = this.#runners.get(key);
    // Moves to the end: the first one is always the one unused for longest.
    this.#runners.delete(key);
    runner ??= create(input);
    this.#runners.set(key, runner);
    await this.#trim();
    try {
      const loaded = await runner;
      this.#last = { job, step, runner: loaded };
      return loaded;
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
