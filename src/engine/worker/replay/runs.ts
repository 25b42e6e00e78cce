import { DafError, fromWire } from '../../../core/contracts/errors.js';
import { type Epoch, jobPrefix, type TaskId, taskName } from '../../../core/contracts/job.js';
import type { TaskReport } from '../../../core/contracts/report.js';
import { readsOf } from '../../../core/contracts/step.js';
import type { Commit, HeldOutput, Outcome, TaskInput, TaskSource } from '../../../core/contracts/task.js';
import { ControlWords } from '../control-words.js';
import { readSplit } from '../input/splits.js';
import { RUNNERS } from '../options.js';
import type { TaskPool } from '../pool.js';
import { PROBING_TRY } from '../skip/skipping.js';
import { type Bundle, lendResult, parseTask, type Stage } from './bundle.js';

export type Done = Extract<Outcome, { kind: 'done' }>;

/** What running a task again gave, and where it lies. */
export interface Run {
  readonly task: TaskId;
  readonly report: TaskReport;
  readonly done: Done;
  readonly stage: Stage;
}

/** Runs tasks of a bundle again, and before them whatever they read: what workers held is gone when a job has ended. */
export class Runs {
  readonly #bundle: Bundle;
  readonly #pool: TaskPool;
  readonly #signal: AbortSignal;
  readonly #runs = new Map<string, Run>();

  constructor(bundle: Bundle, pool: TaskPool, signal: AbortSignal) {
    this.#bundle = bundle;
    this.#pool = pool;
    this.#signal = signal;
  }

  /** In the order in which they ran: what a task reads comes before it. */
  get all(): readonly Run[] {
    return [...this.#runs.values()];
  }

  /** @throws DafError ERR_DAF_TASK_FAILED with the cause, ERR_DAF_NOT_FOUND and ERR_DAF_BAD_DATA for inputs that are gone or changed */
  async run(task: TaskId, stage: Stage): Promise<Run> {
    const known = this.#runs.get(taskName(task));
    if (known !== undefined) return known;
    const run = await this.runAgain(task, stage);
    this.#runs.set(taskName(task), run);
    return run;
  }

  /** Runs a task once more in a stage of its own, on what its inputs were the first time. */
  async runAgain(task: TaskId, stage: Stage): Promise<Run> {
    const { spec, tasks } = this.#bundle;
    const report = tasks.get(taskName(task));
    if (report === undefined) throw new DafError('ERR_DAF_NOT_FOUND', `job ${spec.id} has committed no ${taskName(task)}`);
    const inputs: TaskSource[][] = [];
    for (const { step, stage: of, from, count } of readsOf(spec, task)) {
      const sources: TaskSource[] = [];
      for (let index = from; index < from + count; index++) {
        const read = await this.run({ step, stage: of, index }, stage);
        sources.push(await sourceOf(read, stage));
      }
      inputs.push(sources);
    }
    if (task.stage === 'map' && spec.steps[task.step]!.from.length === 0) await checkStored(task, stage);
    const commits = task.stage === 'finalize' ? await this.#commits(stage) : null;
    const input = this.#input(task, report, stage, inputs, commits);
    const cancel = (): void => void Atomics.store(input.control, 0, 1);
    this.#signal.addEventListener('abort', cancel, { once: true });
    const [result] = await this.#pool.run([input], this.#signal).finally(() => {
      this.#signal.removeEventListener('abort', cancel);
    });
    this.#signal.throwIfAborted();
    const { outcome } = result!;
    if (outcome.kind === 'failed') throw failure(report, outcome);
    return { task, report, done: outcome, stage };
  }

  #input(task: TaskId, report: TaskReport, stage: Stage, inputs: TaskSource[][], commits: Commit[] | null): TaskInput {
    const { spec, codePath, dataDir } = stage;
    const { attempt, generation } = report;
    const assignment = {
      job: spec.id,
      task,
      generation,
      attempt,
      epoch: epochOf(attempt),
      // An attempt that skipped records had looked for them first.
      try: (report.skipped ?? 0) > 0 ? PROBING_TRY : 1,
      backup: false,
    };
    const control = new ControlWords().next();
    const worker = 'replay';
    const runnerUrl = RUNNERS[spec.code.kind];
    return {
      ...{ spec, codePath, dataDir, assignment, runnerUrl, worker, host: worker, dataEndpoint: null },
      ...{ inputs, commits, control },
    };
  }

  /** What finalize sees: everything that was committed, read from the results. */
  async #commits(stage: Stage): Promise<Commit[]> {
    const commits: Commit[] = [];
    for (const report of this.#bundle.tasks.values()) {
      const task = parseTask(report.task);
      if (task.stage === 'finalize') continue;
      const outputs: Done['outputs'][number][] = [];
      for (const file of report.outputs ?? []) {
        const key = `${jobPrefix(stage.spec.id)}${report.task}/${report.attempt}/${file.name}`;
        await lendResult(this.#bundle, stage, file.name, key);
        outputs.push({ ...file, key });
      }
      const { counters = {}, refused = [], skipped = 0, reads = [], recordsIn, recordsOut } = report;
      const counts = { counters, refused, skipped, reads, recordsIn, recordsOut };
      const { worker, milliseconds, reservedBytes, nativePeakBytes, processPeakBytes } = report;
      commits.push({
        task,
        generation: report.generation,
        attempt: report.attempt,
        epoch: epochOf(report.attempt),
        outcome: { kind: 'done', held: null, outputs, intake: null, ...counts },
        usage: { worker, milliseconds, reservedBytes, nativePeakBytes, processPeakBytes },
      });
    }
    return commits;
  }
}

/** `…-a<term>.<counter>` */
function epochOf(attempt: string): Epoch {
  const [term, counter] = attempt.slice(attempt.lastIndexOf('-a') + 2).split('.');
  return { term: Number(term), counter: Number(counter) };
}

/** What a run holds for others, as its readers are given it. */
async function sourceOf({ done, stage }: Run, reader: Stage): Promise<TaskSource> {
  const { index, generation, crc32c, bytes, key, copies } = done.held as HeldOutput;
  const source = { index, generation, crc32c };
  if (key === null) return { ...source, place: { kind: 'file', path: copies[0]!.path, bytes } };
  if (stage !== reader) await reader.store.put(key, await stage.store.get(key));
  return { ...source, place: { kind: 'store', key, bytes } };
}

/** In-memory input is kept with the results only where it is small. */
async function checkStored({ step, index }: TaskId, { spec, store }: Stage): Promise<void> {
  const split = await readSplit(store, spec.id, spec.steps[step]!.firstSplit + index);
  for (const { stored, path } of split.pieces) {
    if (!stored || (await store.stat(path)) !== null) continue;
    throw new DafError('ERR_DAF_NOT_FOUND', `the in-memory input of job ${spec.id} was not kept: it was large`, {
      hint: 'up to 16 MB of it are; give the job files, which stay where they are',
    });
  }
}

const INPUTS_FAULT: ReadonlySet<string> = new Set([
  'ERR_DAF_NOT_FOUND',
  'ERR_DAF_BAD_DATA',
  'ERR_DAF_PERMISSION',
  'ERR_DAF_INPUT_CHANGED',
]);

/** What is wrong with the input is said as it is; anything else is the attempt failing. */
function failure({ attempt }: TaskReport, { error }: Extract<Outcome, { kind: 'failed' }>): DafError {
  const cause = fromWire(error);
  if (INPUTS_FAULT.has(cause.code)) return cause;
  return new DafError('ERR_DAF_TASK_FAILED', `${attempt} was committed by the job, and fails when it runs again`, {
    hint: cause.hint,
    cause,
  });
}
