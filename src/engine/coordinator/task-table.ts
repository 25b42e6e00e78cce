import type { WireError } from '../../core/contracts/errors.js';
import type { Epoch, TaskId, TaskStage } from '../../core/contracts/job.js';
import type { StoredTask } from '../../core/contracts/stores.js';

/** An execution of a task as the coordinator sees it. */
export interface Attempt {
  readonly job: string;
  readonly task: TaskId;
  readonly generation: number;
  readonly name: string;
  readonly epoch: Epoch;
  readonly worker: string;
  /** Of its task, from 1. */
  readonly try: number;
  /** A copy of one that still ran elsewhere. */
  readonly backup: boolean;
  readonly startedAt: number;
  progress: number;
  /** running: leased; deciding: reported done, its commit is with the store; failing: reported failed, being counted. */
  state: 'running' | 'deciding' | 'failing';
  /** Why it failed, while that is being counted. */
  failure: WireError | null;
}

export const TASK = { ready: 0, waiting: 1, running: 2, committed: 3, reopening: 4 } as const;

interface Retry {
  readonly index: number;
  readonly since: number;
}

export interface PickingWorker {
  readonly worker: string;
  readonly host: string;
}

/** How many waiting retries a worker looks at before it takes fresh work instead. */
const MAX_LOOK = 16;

/**
 * The tasks of one stage of a step: columns instead of objects, constant work per event. A task is ready (may be given out), waiting (for its
 * backoff), running (an attempt lives), committed, or reopening (the store is being told).
 */
export class TaskTable {
  readonly step: number;
  readonly stage: TaskStage;
  readonly total: number;
  /** What each of them reserves of its worker's budget, bytes. */
  readonly needBytes: number;
  readonly state: Uint8Array;
  readonly generation: Uint32Array;
  /** Attempts given out in this generation. */
  readonly tries: Uint16Array;
  /** Attempts that died with their worker, in all generations. */
  readonly losses: Uint16Array;
  readonly #winnerTerm: Float64Array;
  readonly #winnerCounter: Float64Array;
  readonly #failedOn = new Map<number, readonly string[]>();
  readonly #live = new Map<number, Attempt[]>();
  /** 1 once a task was given out or adopted: from then on it is found in #retries only. */
  readonly #touched: Uint8Array;
  /** Running tasks for which a second attempt is wanted. */
  #backups: number[] = [];
  #doneMs = 0;
  #doneCount = 0;
  /** Untouched tasks are at or after it. */
  #cursor = 0;
  /** host → tasks whose input lies there, the next ones last. */
  readonly #atHome = new Map<string, number[]>();
  #retries: Retry[] = [];
  /** Where the input of a task lies that waits to run again, once that was made anew. */
  readonly #newHomes = new Map<number, string[]>();
  ready: number;
  committed = 0;
  running = 0;
  /** Sum of what running attempts report. */
  progress = 0;
  /** Workers have been told that what these tasks hold may go; false again once a task is made anew. */
  dropped = false;

  constructor(step: number, stage: TaskStage, total: number, needBytes: number) {
    this.step = step;
    this.stage = stage;
    this.total = total;
    this.needBytes = needBytes;
    this.ready = total;
    this.state = new Uint8Array(total);
    this.generation = new Uint32Array(total);
    this.tries = new Uint16Array(total);
    this.losses = new Uint16Array(total);
    this.#touched = new Uint8Array(total);
    this.#winnerTerm = new Float64Array(total);
    this.#winnerCounter = new Float64Array(total);
  }

  get complete(): boolean {
    return this.committed === this.total;
  }

  /** Takes over what a store recorded. */
  restore(task: StoredTask): void {
    const { index } = task.task;
    if (index >= this.total) return;
    this.generation[index] = task.generation;
    this.tries[index] = task.failures.length;
    if (task.failedOn.length > 0) this.#failedOn.set(index, task.failedOn);
    if (task.commit !== null) this.commit(index, task.commit.epoch);
  }

  id(index: number): TaskId {
    return { step: this.step, stage: this.stage, index };
  }

  live(index: number): readonly Attempt[] {
    return this.#live.get(index) ?? [];
  }

  *allLive(): Iterable<Attempt> {
    for (const attempts of this.#live.values()) yield* attempts;
  }

  start(attempt: Attempt): void {
    const { index } = attempt.task;
    const others = this.#live.get(index);
    if (others === undefined) this.#live.set(index, [attempt]);
    else others.push(attempt);
    // Its assignment may come from a coordinator that knew of more tries.
    this.tries[index] = Math.min(Math.max(this.tries[index]! + 1, attempt.try), 65535);
    this.running += 1;
    this.#touched[index] = 1;
    this.#newHomes.delete(index);
    this.#enter(index, TASK.running);
  }

  /** Takes an attempt out; the task stays as it is. */
  stop(attempt: Attempt): void {
    const { index } = attempt.task;
    const live = this.#live.get(index) ?? [];
    const at = live.indexOf(attempt);
    if (at >= 0) live.splice(at, 1);
    if (live.length === 0) this.#live.delete(index);
    this.running -= 1;
    this.progress -= attempt.progress;
    if (this.running === 0) this.progress = 0; // no drift from rounding
  }

  setProgress(attempt: Attempt, progress: number): void {
    this.progress += progress - attempt.progress;
    attempt.progress = progress;
  }

  commit(index: number, epoch: Epoch): void {
    this.#winnerTerm[index] = epoch.term;
    this.#winnerCounter[index] = epoch.counter;
    this.#enter(index, TASK.committed);
  }

  /** How long committed tasks took on average, ms; 0 before the first. */
  get meanMs(): number {
    return this.#doneCount === 0 ? 0 : this.#doneMs / this.#doneCount;
  }

  /** Notes how long a task took and returns that relative to the others. */
  noteDuration(milliseconds: number): number {
    const mean = this.meanMs;
    this.#doneMs += milliseconds;
    this.#doneCount += 1;
    return mean > 0 ? milliseconds / mean : 1;
  }

  get wantedBackups(): number {
    return this.#backups.length;
  }

  askBackup(index: number): void {
    if (!this.#backups.includes(index)) this.#backups.push(index);
  }

  /** A running task for which this worker can run a second attempt, or -1. */
  pickBackup(worker: string): number {
    this.#backups = this.#backups.filter((index) => this.state[index] === TASK.running && this.live(index).length === 1);
    const at = this.#backups.findIndex((index) => {
      const failedOn = this.#failedOn.get(index) ?? [];
      return this.live(index)[0]!.worker !== worker && !failedOn.includes(worker);
    });
    return at < 0 ? -1 : this.#backups.splice(at, 1)[0]!;
  }

  /** True when this attempt is the one whose commit stands. */
  isWinner(index: number, generation: number, epoch: Epoch): boolean {
    return (
      (this.state[index] === TASK.committed || this.state[index] === TASK.reopening) &&
      this.generation[index] === generation &&
      this.#winnerTerm[index] === epoch.term &&
      this.#winnerCounter[index] === epoch.counter
    );
  }

  beginReopen(index: number): void {
    this.#enter(index, TASK.reopening);
  }

  reopen(index: number, generation: number, now: number): void {
    this.dropped = false;
    this.generation[index] = generation;
    this.tries[index] = 0;
    this.#failedOn.delete(index);
    this.retry(index, now);
  }

  wait(index: number): void {
    this.#enter(index, TASK.waiting);
  }

  retry(index: number, now: number): void {
    this.#touched[index] = 1;
    this.#enter(index, TASK.ready);
    this.#retries.push({ index, since: now });
  }

  noteFailure(index: number, worker: string): void {
    const before = this.#failedOn.get(index) ?? [];
    if (!before.includes(worker)) this.#failedOn.set(index, [...before, worker]);
  }

  /** The task reads what lies on this host: a worker there gets it before its turn. */
  setHome(index: number, host: string): void {
    const tasks = this.#atHome.get(host);
    if (tasks === undefined) this.#atHome.set(host, [index]);
    else tasks.push(index);
    if (this.#touched[index] === 0) return;
    const homes = this.#newHomes.get(index);
    if (homes === undefined) this.#newHomes.set(index, [host]);
    else homes.push(host);
  }

  /** Tasks of this table have hosts where they are best run. */
  get hasHomes(): boolean {
    return this.#atHome.size > 0;
  }

  /**
   * A ready task for this worker, or -1. Retries go first, then tasks whose input lies on its host, but retries not to a worker they failed on while another may come for
   * them within `patience` ms.
   * @param near nothing beside these two, and no retry whose input has been made anew on other hosts
   */
  pick(
    { worker, host }: PickingWorker,
    others: (failedOn: readonly string[]) => boolean,
    now: number,
    patience: number,
    near = false,
  ): number {
    if (this.ready === 0) return -1;
    for (let i = 0, looked = 0; i < this.#retries.length && looked < MAX_LOOK; ) {
      const { index, since } = this.#retries[i]!;
      if (this.state[index] !== TASK.ready) {
        this.#retries.splice(i, 1); // re-adopted, or committed by a late attempt
        continue;
      }
      if (near && this.#newHomes.get(index)?.includes(host) === false) {
        looked += 1;
        i += 1;
        continue;
      }
      const failedOn = this.#failedOn.get(index);
      if (failedOn === undefined || !failedOn.includes(worker) || now - since >= patience || !others(failedOn)) {
        this.#retries.splice(i, 1);
        return index;
      }
      looked += 1;
      i += 1;
    }
    const home = this.#atHome.get(host) ?? [];
    for (let index = home.pop(); index !== undefined; index = home.pop()) {
      if (this.state[index] === TASK.ready && this.#touched[index] === 0) return index;
    }
    if (near) return -1;
    while (this.#cursor < this.total) {
      const index = this.#cursor;
      this.#cursor += 1;
      if (this.state[index] === TASK.ready && this.#touched[index] === 0) return index;
    }
    return -1;
  }

  #enter(index: number, state: number): void {
    const before = this.state[index];
    if (before === state) return;
    if (before === TASK.ready) this.ready -= 1;
    if (before === TASK.committed) this.committed -= 1;
    if (state === TASK.ready) this.ready += 1;
    if (state === TASK.committed) this.committed += 1;
    this.state[index] = state;
  }
}
