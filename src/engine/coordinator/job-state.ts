import type { WireError } from '../../core/contracts/errors.js';
import { type Epoch, type JobPhase, type JobSpec, type JobStatus, type TaskId, taskName } from '../../core/contracts/job.js';
import type { StoredTask } from '../../core/contracts/stores.js';
import type { Commit } from '../../core/contracts/task.js';
import { type Attempt, TaskTable } from './task-table.js';

type Done = Commit['outcome'];

/** One job while it runs: its three stages and what is known of it as a whole. */
export class JobState {
  readonly spec: JobSpec;
  readonly map: TaskTable;
  readonly reduce: TaskTable;
  readonly finalize: TaskTable;
  readonly order: number;
  readonly acceptedAt: number;
  readonly counters = new Map<string, number>();
  phase: JobPhase = 'running';
  /** A change of phase is on its way to the store: nothing more is given out or committed. */
  closing = false;
  error: WireError | null = null;
  refused = 0;
  failedAttempts = 0;
  /** Gives out nothing before this time. */
  heldUntil = 0;
  endedAt: number | null = null;
  /** Something a client could see has changed. */
  changed = true;

  constructor(spec: JobSpec, order: number, now: number) {
    this.spec = spec;
    this.order = order;
    this.acceptedAt = now;
    this.map = new TaskTable('map', spec.splits);
    this.reduce = new TaskTable('reduce', spec.reducers);
    this.finalize = new TaskTable('finalize', spec.hasFinalize ? 1 : 0);
  }

  restore(tasks: readonly StoredTask[]): void {
    for (const task of tasks) {
      this.table(task.task).restore(task);
      if (task.commit !== null) this.count(task.commit.outcome, 1);
    }
  }

  /** A job found done: its tasks need no table any more. */
  restoreDone(): void {
    for (const table of [this.map, this.reduce, this.finalize]) table.committed = table.total;
  }

  table(task: TaskId): TaskTable {
    return this[task.stage];
  }

  has(task: TaskId): boolean {
    return task.index < this.table(task).total;
  }

  /** The stage that may be given out now: map first, reduce when all maps are committed, then finalize. */
  get openTable(): TaskTable | null {
    if (this.phase !== 'running' || this.closing) return null;
    for (const table of [this.map, this.reduce, this.finalize]) if (!table.complete) return table.ready > 0 ? table : null;
    return null;
  }

  get complete(): boolean {
    return this.map.complete && this.reduce.complete && this.finalize.complete;
  }

  /** Adds (1) or takes back (−1) what a commit contributed to the job's sums. */
  count(outcome: Done, sign: 1 | -1): void {
    for (const [name, amount] of Object.entries(outcome.counters)) {
      this.counters.set(name, (this.counters.get(name) ?? 0) + sign * amount);
    }
    for (const each of outcome.refused) if (each.refused) this.refused += sign;
  }

  /** True when a reduce says that it read every map: one that read fewer would under-count. */
  readsAreComplete(task: TaskId, outcome: Done): boolean {
    if (task.stage !== 'reduce') return true;
    let maps = 0;
    for (const [, count] of outcome.readGenerations) maps += count;
    return maps === this.spec.splits;
  }

  /** True when the outcome read the map generations that stand now. Only jobs that may give other bytes need to care. */
  readsAreCurrent(outcome: Done): boolean {
    if (this.spec.deterministic) return true;
    let map = 0;
    for (const [generation, count] of outcome.readGenerations) {
      for (let i = 0; i < count && map < this.map.total; i++, map++) if (this.map.generation[map] !== generation) return false;
    }
    return true;
  }

  *live(): Iterable<Attempt> {
    for (const table of [this.map, this.reduce, this.finalize]) yield* table.allLive();
  }

  status(workers: number, now: number): JobStatus {
    const stage = (table: TaskTable): JobStatus['map'] => ({
      total: table.total,
      running: table.running,
      committed: table.committed,
      progress: Math.min(table.total, Math.max(0, table.committed + table.progress)),
    });
    return {
      id: this.spec.id,
      name: this.spec.name,
      phase: this.phase,
      output: this.spec.output,
      map: stage(this.map),
      reduce: stage(this.reduce),
      finalize: stage(this.finalize),
      counters: Object.fromEntries([...this.counters].filter(([, amount]) => amount !== 0).sort(([a], [b]) => (a < b ? -1 : 1))),
      refused: this.refused,
      failedAttempts: this.failedAttempts,
      workers,
      elapsedMs: Math.max(0, (this.endedAt ?? now) - this.acceptedAt),
      error: this.error,
    };
  }
}

export function attemptName(task: TaskId, generation: number, epoch: Epoch): string {
  return `${taskName(task)}-g${generation}-a${epoch.term}.${epoch.counter}`;
}

/** The parts of a name made by {@link attemptName}; null for anything else. */
export function parseAttempt(name: string): { readonly task: TaskId; readonly generation: number; readonly epoch: Epoch } | null {
  const match = /^(map|reduce|finalize)-(\d{1,10})-g(\d{1,10})-a(\d{1,15})\.(\d{1,15})$/.exec(name);
  if (match === null) return null;
  return {
    task: { stage: match[1] as TaskId['stage'], index: Number(match[2]) },
    generation: Number(match[3]),
    epoch: { term: Number(match[4]), counter: Number(match[5]) },
  };
}
