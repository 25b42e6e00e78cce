import type { WireError } from '../../core/contracts/errors.js';
import type { Epoch, JobPhase, JobSpec, JobStatus, StageProgress, TaskId, TaskStage } from '../../core/contracts/job.js';
import type { StoredTask } from '../../core/contracts/stores.js';
import type { Commit } from '../../core/contracts/task.js';
import { StageGraph } from './stage-graph.js';
import type { Attempt, TaskTable } from './task-table.js';

/** What a status tells of counters: as many as the wire takes, with names of so many bytes together. */
const MOST_COUNTERS = 4096;
const MOST_NAME_BYTES = 256 << 10;

type Done = Commit['outcome'];

/** One job while it runs: its stages and what is known of it as a whole. */
export class JobState {
  readonly spec: JobSpec;
  readonly graph: StageGraph;
  readonly order: number;
  readonly acceptedAt: number;
  readonly counters = new Map<string, number>();
  phase: JobPhase = 'running';
  /** A change of phase is on its way to the store: nothing more is given out or committed. */
  closing = false;
  error: WireError | null = null;
  /** What its code did outside its tasks: it must not be published. */
  stray: WireError | null = null;
  refused = 0;
  /** Records that committed tasks went on without. */
  skipped = 0;
  failedAttempts = 0;
  /** Gives out nothing before this time. */
  heldUntil = 0;
  endedAt: number | null = null;
  /** Since when some of its tasks fit into no worker; null while all do. */
  roomlessSince: number | null = null;
  /** What is said of that. */
  waiting: WireError | null = null;
  /** Something a client could see has changed. */
  changed = true;

  constructor(spec: JobSpec, order: number, now: number) {
    this.spec = spec;
    this.order = order;
    this.acceptedAt = now;
    this.graph = new StageGraph(spec);
  }

  restore(tasks: readonly StoredTask[]): void {
    for (const task of tasks) {
      this.graph.find(task.task)?.restore(task);
      if (task.commit === null) continue;
      this.count(task.commit.outcome, 1);
      this.graph.noteHomes(task.task, task.commit.outcome.held?.copies ?? []);
    }
  }

  /** A job found done: its tasks need no table any more. */
  restoreDone(): void {
    for (const table of this.graph.tables) table.committed = table.total;
  }

  /** Of a task that {@link has} says there is. */
  table(task: TaskId): TaskTable {
    return this.graph.find(task)!;
  }

  has(task: TaskId): boolean {
    return this.graph.find(task) !== undefined;
  }

  /** Attempts that run now. */
  get running(): number {
    return this.graph.tables.reduce((sum, { running }) => sum + running, 0);
  }

  /** Tasks of the stage at this place in the graph's tables may be given out now. Asked for every task that is given out. */
  isOpen(at: number): boolean {
    return this.phase === 'running' && !this.closing && this.graph.isOpen(at);
  }

  /** Adds (1) or takes back (−1) what a commit contributed to the job's sums. */
  count(outcome: Done, sign: 1 | -1): void {
    for (const name in outcome.counters) {
      this.counters.set(name, (this.counters.get(name) ?? 0) + sign * outcome.counters[name]!);
    }
    this.skipped += sign * outcome.skipped;
    for (const each of outcome.refused) if (each.refused) this.refused += sign;
  }

  /** True unless the outcome read a generation that was taken back. Only jobs that may give other bytes need to care. */
  readsStand(outcome: Done): boolean {
    return this.spec.deterministic || this.graph.readsAreCurrent(outcome);
  }

  *live(): Iterable<Attempt> {
    for (const table of this.graph.tables) yield* table.allLive();
  }

  status(workers: number, now: number): JobStatus {
    const stage = (wanted: TaskStage): StageProgress => {
      const sum = { total: 0, running: 0, committed: 0, progress: 0 };
      for (const table of this.graph.tables) {
        if (table.stage !== wanted) continue;
        sum.total += table.total;
        sum.running += table.running;
        sum.committed += table.committed;
        sum.progress += Math.min(table.total, Math.max(0, table.committed + table.progress));
      }
      return sum;
    };
    return {
      id: this.spec.id,
      name: this.spec.name,
      phase: this.phase,
      output: this.spec.output,
      map: stage('map'),
      reduce: stage('reduce'),
      finalize: stage('finalize'),
      counters: listed(this.counters),
      refused: this.refused,
      failedAttempts: this.failedAttempts,
      workers,
      elapsedMs: Math.max(0, (this.endedAt ?? now) - this.acceptedAt),
      error: this.error,
      waiting: this.phase === 'running' ? this.waiting : null,
    };
  }
}

/** Counters that are not 0, in name order, as far as a message takes them: all tasks together may have more than one may. */
function listed(counters: ReadonlyMap<string, number>): Record<string, number> {
  const all = [...counters].filter(([, amount]) => amount !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
  let bytes = 0;
  const fits = ([name]: [string, number]): boolean => {
    bytes += Buffer.byteLength(name);
    return bytes <= MOST_NAME_BYTES;
  };
  const cut = all.slice(0, MOST_COUNTERS).findIndex((each) => !fits(each));
  return Object.fromEntries(all.slice(0, cut < 0 ? MOST_COUNTERS : cut));
}

/** The parts of a name made by attemptName; null for anything else. */
export function parseAttempt(name: string): { readonly task: TaskId; readonly generation: number; readonly epoch: Epoch } | null {
  const match = /^(?:s(\d{1,4})-)?(map|reduce|finalize)-(\d{1,10})-g(\d{1,10})-a(\d{1,15})\.(\d{1,15})$/.exec(name);
  if (match === null) return null;
  return {
    task: { step: Number(match[1] ?? 0), stage: match[2] as TaskId['stage'], index: Number(match[3]) },
    generation: Number(match[4]),
    epoch: { term: Number(match[5]), counter: Number(match[6]) },
  };
}
