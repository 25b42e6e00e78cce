import { mkdirSync, rmSync, writeSync } from 'node:fs';
import { type Counters, MOST_COUNT, type TaskFiles } from '../../core/contracts/context.js';
import { DafError } from '../../core/contracts/errors.js';
import type { RawRecord } from '../../core/contracts/record.js';
import type { TaskContext } from '../../core/contracts/stage.js';
import type { RefusedInput, TaskInput } from '../../core/contracts/task.js';
import { scratchPath } from './attempt-data.js';
import type { GivenRecords } from './input/given.js';
import { Late } from './late.js';

// Words of native/base/control.h.
const CANCEL = 0;
const DONE = 1;
const TOTAL = 2;
const STEPS = 1 << 16;

const MOST_NAME = 256;

/** @throws DafError ERR_DAF_BAD_ARGUMENT for what no report could tell: to leave it out would be a wrong count */
function addTo(sums: Map<string, number>, name: string, amount: number): void {
  if (typeof name !== 'string' || name.length > MOST_NAME || name === '__proto__') {
    throw new DafError('ERR_DAF_BAD_ARGUMENT', `no counter can be called ${JSON.stringify(String(name).slice(0, MOST_NAME))}`, {
      hint: `names of counters have up to ${MOST_NAME} characters, and are not __proto__`,
    });
  }
  const sum = (sums.get(name) ?? 0) + amount;
  if (typeof amount !== 'number' || !(Math.abs(sum) <= MOST_COUNT)) {
    throw new DafError('ERR_DAF_BAD_ARGUMENT', `counter ${name}: ${sum} is more than can be counted`, {
      hint: 'counters are numbers below 2^53',
    });
  }
  sums.set(name, sum);
}

/** What user code sees of its attempt, and what the attempt collects from it. */
export class AttemptContext implements TaskContext {
  readonly job: string;
  readonly jobName: string;
  readonly step: string;
  readonly stage: TaskContext['stage'];
  readonly index: number;
  readonly attempt: string;
  readonly params: Readonly<Record<string, string>>;
  readonly counters: Counters;
  readonly files: TaskFiles;
  readonly memoryBytes: number;
  readonly control: Int32Array;
  readonly refused: RefusedInput[];
  readonly givenRecords: GivenRecords;
  readonly late: Late;
  readonly #sums: Map<string, number>;
  readonly #dataDir: string;
  #hasScratch = false;

  constructor(
    input: TaskInput,
    files: TaskFiles,
    given: GivenRecords,
    stage: TaskContext['stage'] = input.assignment.task.stage,
    parent?: AttemptContext,
    late?: Late,
  ) {
    const { spec, assignment } = input;
    this.job = spec.id;
    this.jobName = spec.name;
    const step = spec.steps[assignment.task.step]!;
    this.step = step.name;
    this.stage = stage;
    this.givenRecords = given;
    this.index = assignment.task.index;
    this.attempt = assignment.attempt;
    this.params = spec.params;
    this.files = files;
    this.memoryBytes = step.memory.task;
    this.control = input.control;
    this.refused = parent?.refused ?? [];
    this.#sums = parent === undefined ? new Map() : parent.#sums;
    this.late = parent?.late ?? late ?? new Late(spec.id, assignment.attempt, () => {});
    this.#dataDir = input.dataDir;
    this.counters = { add: (name, amount = 1) => addTo(this.#sums, name, amount) };
  }

  get scratchDir(): string {
    const path = scratchPath(this.#dataDir, this.attempt);
    if (!this.#hasScratch) mkdirSync(path, { recursive: true });
    this.#hasScratch = true;
    return path;
  }

  /** Counters by name, in name order. */
  sums(): Record<string, number> {
    if (this.#sums.size === 0) return {};
    return Object.fromEntries([...this.#sums].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  given(step: string): AsyncIterable<RawRecord> {
    return this.givenRecords.records(step);
  }

  checkCancelled(): void {
    if (Atomics.load(this.control, CANCEL) !== 0) throw new DafError('ERR_DAF_CANCELLED', 'the attempt was cancelled');
  }

  progress(fraction: number): void {
    Atomics.store(this.control, TOTAL, STEPS);
    Atomics.store(this.control, DONE, Math.round(Math.min(1, Math.max(0, fraction)) * STEPS));
  }

  refuse(input: string, error: unknown, options: { readonly refused?: boolean } = {}): void {
    this.late.check('refused an input');
    const { code, message, hint } = DafError.from(error);
    this.refused.push({ input, code, message, hint: hint ?? null, refused: options.refused ?? true });
  }

  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const line = { time: new Date().toISOString(), level, job: this.job, attempt: this.attempt, message, ...fields };
    try {
      writeSync(2, `${JSON.stringify(line)}\n`);
    } catch {
      // A full or closed log must not fail a task.
    }
  }

  /** Takes nothing more: it would be in no report. @param failed see {@link Late.end} */
  end(failed: boolean): void {
    this.late.end(failed);
    const { counted } = this.late;
    // Not a question for every count before.
    this.#sums.set = () => {
      throw counted();
    };
  }

  dispose(): void {
    if (this.#hasScratch) rmSync(scratchPath(this.#dataDir, this.attempt), { recursive: true, force: true });
  }
}
