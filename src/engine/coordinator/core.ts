import { DafError, toWire, type WireError } from '../../core/contracts/errors.js';
import { type JobPhase, type JobSpec, type JobStatus, type TaskId, taskName } from '../../core/contracts/job.js';
import type { Heartbeat, WorkerStatus } from '../../core/contracts/messages.js';
import type { StoredJob, StoredTask } from '../../core/contracts/stores.js';
import type { Assignment, Commit, LostMap, Report } from '../../core/contracts/task.js';
import { AttemptBook } from './attempts.js';
import type { CoreOptions, Effect, WorkerInfo } from './effects.js';
import { attemptName, JobState } from './job-state.js';
import { Leases } from './leases.js';
import { Outbox } from './outbox.js';
import { Scheduler, type Worker } from './scheduler.js';
import { Setbacks } from './setbacks.js';
import { type Attempt, TASK } from './task-table.js';

/** Ended jobs that stay listed. */
const MAX_ENDED = 1000;

/**
 * The decisions of the coordinator as a pure machine: every method is an event with its time, {@link drain} gives the effects. Times are
 * milliseconds of one monotonic clock. All live attempts of a generation may commit; the store picks the first. Nothing here
 * scans all tasks of a job for one event.
 */
export class Core {
  readonly options: CoreOptions;
  readonly jobs = new Map<string, JobState>();
  readonly #workers = new Map<string, Worker>();
  readonly #seen: Leases<string>;
  readonly #attempts: AttemptBook;
  readonly #out = new Outbox();
  readonly #setbacks = new Setbacks(this.#out);
  readonly #scheduler = new Scheduler();
  readonly #ended: string[] = [];
  #counter = 0;
  #order = 0;
  #last = 0;
  /** Time this process was stopped: it must not be held against the workers. */
  #paused = 0;

  constructor(options: CoreOptions) {
    this.options = options;
    this.#seen = new Leases(options.leaseMs);
    this.#attempts = new AttemptBook(options.leaseMs, this.jobs, this.#workers, this.#scheduler, this.#out);
  }

  // ── jobs ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A job found in the store at start. */
  loadJob(stored: StoredJob, tasks: readonly StoredTask[], at: number): void {
    const now = this.#advance(at);
    const job = new JobState(stored.spec, this.#order++, now);
    this.jobs.set(job.spec.id, job);
    job.phase = stored.phase;
    job.error = (stored.error as WireError | null) ?? null;
    if (stored.phase === 'done') job.restoreDone();
    else job.restore(tasks);
    job.heldUntil = now + this.options.graceMs;
    if (job.phase === 'running') this.#scheduler.add(job);
    else if (job.phase === 'publishing') this.#out.push({ kind: 'publish', job: job.spec.id });
    else this.#end(job, now);
    if (job.phase === 'running') {
      // The last coordinator may have died between opening a map anew and the reduces that had read it.
      for (const { task, commit } of tasks) {
        if (task.stage === 'reduce' && commit !== null && !job.readsAreCurrent(commit.outcome)) this.#setbacks.reopen(job, task);
      }
    }
    this.#checkComplete(job);
  }

  /** A job that the store has just created. */
  jobCreated(spec: JobSpec, at: number): void {
    const now = this.#advance(at);
    if (this.jobs.has(spec.id)) return;
    const job = new JobState(spec, this.#order++, now);
    this.jobs.set(spec.id, job);
    this.#scheduler.add(job);
    this.#checkComplete(job);
  }

  /** Starts to cancel a running job; false when it is too late. An ended job is left as it is. */
  cancel(id: string, at: number): boolean {
    this.#advance(at);
    const job = this.jobs.get(id);
    if (job === undefined || job.phase !== 'running') return false;
    if (!job.closing)
      this.#setbacks.close(job, 'cancelled', toWire(new DafError('ERR_DAF_CANCELLED', `job ${id} was cancelled`)));
    return true;
  }

  phaseSet(id: string, to: JobPhase, at: number): void {
    const now = this.#advance(at);
    const job = this.jobs.get(id);
    if (job === undefined) return;
    job.phase = to;
    job.changed = true;
    if (to === 'publishing') {
      this.#scheduler.remove(job);
      this.#out.push({ kind: 'publish', job: id });
    } else if (to !== 'running') this.#end(job, now);
  }

  published(id: string, at: number): void {
    this.#advance(at);
    this.#out.push({ kind: 'set-phase', job: id, from: 'publishing', to: 'done', error: null });
  }

  publishFailed(id: string, error: WireError, at: number): void {
    this.#advance(at);
    const job = this.jobs.get(id);
    if (job !== undefined) job.error = error;
    this.#out.push({ kind: 'set-phase', job: id, from: 'publishing', to: 'failed', error });
  }

  // ── workers ──────────────────────────────────────────────────────────────────────────────────────────────────────

  workerHello(info: WorkerInfo, running: readonly Assignment[], at: number): void {
    const now = this.#advance(at);
    const before = this.#workers.get(info.worker);
    const worker: Worker = {
      ...info,
      held: before?.held ?? new Map(),
      capacity: 0,
      creditSeq: -1,
      peakBytes: before?.peakBytes ?? 0,
    };
    this.#workers.set(info.worker, worker);
    this.#scheduler.withdraw(info.worker);
    this.#seen.renew(info.worker, now);
    const named = new Set(running.map((each) => `${each.job}/${each.attempt}`));
    // What it does not know of never reached it, or died with the process that bore its name.
    for (const [key, attempt] of [...worker.held]) if (!named.has(key)) this.#lose(attempt, before?.pid !== info.pid, now);
    this.#out.send(info.worker, {
      type: 'welcome',
      protocol: 1,
      term: this.options.term,
      heartbeatMs: this.options.heartbeatMs,
      leaseMs: this.options.leaseMs,
    });
    for (const assignment of running) this.#adopt(worker, assignment, now);
  }

  /** False for a worker this term does not know. */
  heartbeat(id: string, message: Pick<Heartbeat, 'running' | 'peakBytes'>, at: number): boolean {
    const now = this.#advance(at);
    const worker = this.#workers.get(id);
    if (worker === undefined) return false;
    this.#seen.renew(id, now);
    worker.peakBytes = Math.max(worker.peakBytes, message.peakBytes);
    for (const { job, attempt: name, progress } of message.running) {
      const attempt = this.#attempts.get(job, name);
      if (attempt === undefined || attempt.worker !== id) {
        this.#attempts.answerUnknown(id, job, name);
        continue;
      }
      if (attempt.state !== 'running') continue;
      this.#attempts.renew(attempt, now);
      if (attempt.progress === progress) continue;
      const state = this.jobs.get(job)!;
      state.table(attempt.task).setProgress(attempt, progress);
      state.changed = true;
    }
    return true;
  }

  credit(id: string, seq: number, capacity: number, at: number): boolean {
    const now = this.#advance(at);
    const worker = this.#workers.get(id);
    if (worker === undefined) return false;
    this.#seen.renew(id, now);
    if (seq <= worker.creditSeq) return true;
    worker.creditSeq = seq;
    worker.capacity = capacity;
    this.#scheduler.offer(worker);
    return true;
  }

  workerBye(id: string, at: number): void {
    this.#removeWorker(id, false, this.#advance(at));
  }

  report(id: string, report: Report, at: number): boolean {
    const now = this.#advance(at);
    const worker = this.#workers.get(id);
    if (worker === undefined) return false;
    this.#seen.renew(id, now);
    const job = this.jobs.get(report.job);
    const attempt = this.#attempts.get(report.job, report.attempt) ?? this.#adoptReported(worker, report, now);
    if (attempt === undefined || job === undefined || attempt.worker !== id) {
      const winner = job?.has(report.task) && job.table(report.task).isWinner(report.task.index, report.generation, report.epoch);
      this.#out.verdict(id, report.job, report.attempt, winner ? 'committed' : 'discarded');
      return true;
    }
    if (attempt.state !== 'running') return true; // a second copy; the answer is on its way
    this.#attempts.release(attempt);
    const { outcome } = report;
    if (job.closing || job.phase !== 'running') {
      this.#attempts.drop(attempt);
      this.#out.verdict(id, report.job, report.attempt, 'discarded');
    } else if (outcome.kind === 'failed') {
      this.#failed(job, attempt, outcome.error, outcome.lostMaps, now);
    } else if (!job.readsAreComplete(attempt.task, outcome)) {
      const why = 'a reduce attempt did not read every map output';
      this.#failed(job, attempt, toWire(new DafError('ERR_DAF_PROTOCOL', why)), [], now);
    } else if (!job.readsAreCurrent(outcome)) {
      this.#attempts.drop(attempt);
      this.#out.verdict(id, report.job, report.attempt, 'discarded');
      this.#setbacks.requeue(job, attempt.task, now, 0);
    } else {
      attempt.state = 'deciding';
      const { task, generation, epoch } = attempt;
      this.#out.push({
        kind: 'commit',
        job: report.job,
        commit: { task, generation, attempt: attempt.name, epoch, outcome, usage: report.usage },
      });
    }
    return true;
  }

  // ── answers of the store ─────────────────────────────────────────────────────────────────────────────────────────

  /** `winner`: the commit that stands for this task and generation now; null when the store discarded it for another reason. */
  commitDecided(id: string, commit: Commit, winner: Pick<Commit, 'epoch' | 'outcome'> | null, at: number): void {
    const now = this.#advance(at);
    const job = this.jobs.get(id);
    const attempt = this.#attempts.get(id, commit.attempt);
    if (attempt !== undefined) this.#attempts.drop(attempt);
    const own = winner !== null && winner.epoch.term === commit.epoch.term && winner.epoch.counter === commit.epoch.counter;
    if (attempt !== undefined) this.#out.verdict(attempt.worker, id, commit.attempt, own ? 'committed' : 'discarded');
    if (job === undefined || job.phase !== 'running') return;
    const table = job.table(commit.task);
    const { index } = commit.task;
    if (winner === null) {
      if (table.generation[index] === commit.generation) this.#setbacks.requeue(job, commit.task, now, 0);
      return;
    }
    if (
      table.generation[index] !== commit.generation ||
      table.state[index] === TASK.committed ||
      table.state[index] === TASK.reopening
    )
      return;
    table.commit(index, winner.epoch);
    job.count(winner.outcome, 1);
    job.changed = true;
    for (const other of [...table.live(index)]) if (other.state === 'running') this.#attempts.revoke(other);
    if (commit.task.stage === 'reduce' && !job.readsAreCurrent(winner.outcome)) this.#setbacks.reopen(job, commit.task);
    this.#checkComplete(job);
  }

  failureCounted(id: string, name: string, count: number, at: number): void {
    const now = this.#advance(at);
    const job = this.jobs.get(id);
    const attempt = this.#attempts.get(id, name);
    if (attempt === undefined || job === undefined) return;
    this.#attempts.drop(attempt);
    this.#out.verdict(attempt.worker, id, name, 'failure-noted');
    if (job.closing || job.phase !== 'running') return;
    const table = job.table(attempt.task);
    if (table.generation[attempt.task.index] === attempt.generation && table.state[attempt.task.index] !== TASK.committed) {
      if (count >= job.spec.maxAttempts) this.#setbacks.giveUp(job, attempt.task, `${count} attempts failed`, attempt.failure!);
      else this.#setbacks.requeue(job, attempt.task, now, count);
    }
  }

  /** `outcome`: what the commit that was taken back had contributed; null when the store refused to reopen. */
  reopened(id: string, task: TaskId, generation: number, outcome: Commit['outcome'] | null, at: number): void {
    const now = this.#advance(at);
    const job = this.jobs.get(id);
    if (job === undefined) return;
    const table = job.table(task);
    if (table.state[task.index] !== TASK.reopening || table.generation[task.index] !== generation) return;
    if (outcome !== null) job.count(outcome, -1);
    table.reopen(task.index, generation + 1, now);
    job.changed = true;
    if (task.stage === 'map' && !job.spec.deterministic) {
      // What reduces read may differ now; those in flight are checked when they report.
      for (let index = 0; index < job.reduce.total; index++) {
        if (job.reduce.state[index] === TASK.committed) this.#setbacks.reopen(job, job.reduce.id(index));
      }
    }
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  tick(at: number): void {
    const now = this.#advance(at);
    for (const worker of this.#seen.expire(now)) this.#removeWorker(worker, true, now);
    for (const attempt of this.#attempts.expire(now)) {
      this.#out.revoke(attempt.worker, attempt.job, attempt.name);
      this.#lose(attempt, false, now);
    }
    this.#setbacks.wake(now);
  }

  /** What is to be done, in order; gives out ready tasks first. */
  drain(at: number): Effect[] {
    const now = this.#advance(at);
    const assign = (worker: Worker, job: JobState, task: TaskId): void => this.#assign(worker, job, task, now);
    const others = (failedOn: readonly string[]): boolean => {
      for (const id of this.#workers.keys()) if (!failedOn.includes(id)) return true;
      return false;
    };
    this.#scheduler.run(now, this.options.leaseMs, others, assign);
    return this.#out.drain();
  }

  // ── what clients see ─────────────────────────────────────────────────────────────────────────────────────────────

  status(id: string, at: number): JobStatus | null {
    return this.jobs.get(id)?.status(this.#workers.size, at - this.#paused) ?? null;
  }

  get threads(): number {
    let threads = 0;
    for (const worker of this.#workers.values()) threads += worker.threads;
    return threads;
  }

  knows(worker: string): boolean {
    return this.#workers.has(worker);
  }

  worker(id: string): (WorkerInfo & { readonly peakBytes: number }) | null {
    return this.#workers.get(id) ?? null;
  }

  workers(at: number): WorkerStatus[] {
    return [...this.#workers.values()]
      .sort((a, b) => (a.worker < b.worker ? -1 : 1))
      .map(({ worker, host, pid, threads, held, peakBytes }) => ({
        worker,
        host,
        pid,
        threads,
        running: [...held.keys()],
        peakBytes,
        silentMs: Math.max(0, at - this.#paused - (this.#seen.renewedAt(worker) ?? 0)),
      }));
  }

  // ── within ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A clock without the time this process did not run (stopped, swapped out): nobody could renew a lease meanwhile. */
  #advance(at: number): number {
    const gap = at - this.#last;
    if (this.#last > 0 && gap > this.options.leaseMs / 2) this.#paused += gap;
    this.#last = Math.max(this.#last, at);
    return at - this.#paused;
  }

  #assign(worker: Worker, job: JobState, task: TaskId, now: number): void {
    const table = job.table(task);
    const generation = table.generation[task.index]!;
    const epoch = { term: this.options.term, counter: this.#counter++ };
    const name = attemptName(task, generation, epoch);
    const id = job.spec.id;
    this.#attempts.begin(worker, { job: id, task, generation, name, epoch }, now);
    const tries = table.tries[task.index]!;
    this.#out.assign(worker.worker, this.options.term, {
      job: id,
      task,
      generation,
      attempt: name,
      epoch,
      try: tries,
      backup: false,
    });
  }

  /** A worker says at hello what it is at: attempts of this term go on, those of an earlier term are taken up or fenced. */
  #adopt(worker: Worker, { job, task, generation, attempt: name, epoch }: Assignment, now: number): void {
    const known = this.#attempts.get(job, name);
    const identity = { job, task, generation, name, epoch };
    if (known !== undefined && known.worker === worker.worker) this.#attempts.renew(known, now);
    else if (known === undefined && this.#attempts.adoptable(identity, this.options.term))
      this.#attempts.begin(worker, identity, now);
    else this.#attempts.answerUnknown(worker.worker, job, name);
  }

  /** A report of an earlier term's attempt that its worker had finished while no coordinator listened. */
  #adoptReported(worker: Worker, { job, task, generation, attempt: name, epoch }: Report, now: number): Attempt | undefined {
    const identity = { job, task, generation, name, epoch };
    return this.#attempts.adoptable(identity, this.options.term) ? this.#attempts.begin(worker, identity, now) : undefined;
  }

  #failed(job: JobState, attempt: Attempt, error: WireError, lostMaps: readonly LostMap[], now: number): void {
    const { task, name, worker } = attempt;
    job.failedAttempts += 1;
    job.changed = true;
    const event = {
      kind: 'attempt-failed',
      job: job.spec.id,
      task: taskName(task),
      attempt: name,
      worker,
      error,
      lost: lostMaps,
    } as const;
    this.#out.push({ kind: 'event', job: job.spec.id, event });
    const stopped = error.code === 'ERR_DAF_CANCELLED' || error.code === 'ERR_DAF_CLOSED';
    if ((task.stage !== 'map' && lostMaps.length > 0) || stopped) {
      this.#attempts.drop(attempt);
      this.#out.verdict(worker, job.spec.id, name, 'failure-noted');
      let reopened = 0;
      for (const { map, generation } of lostMaps) if (this.#setbacks.lostMap(job, map, generation, error)) reopened += 1;
      // Not the reduce's fault: it waits until the maps are back. A complaint about maps that are there counts as a loss.
      if (reopened > 0) this.#setbacks.requeue(job, task, now, 0);
      else this.#setbacks.countLoss(job, task, error, now);
      return;
    }
    attempt.state = 'failing';
    attempt.failure = error;
    job.table(task).noteFailure(task.index, worker);
    const { generation } = attempt;
    this.#out.push({ kind: 'count-failure', job: job.spec.id, task, generation, attempt: name, worker });
  }

  /** An attempt whose worker is gone or never had it. */
  #lose(attempt: Attempt, withWorker: boolean, now: number): void {
    const job = this.jobs.get(attempt.job);
    this.#attempts.release(attempt);
    if (attempt.state !== 'running') return; // reported in time: the store's answer decides
    this.#attempts.drop(attempt);
    if (job === undefined || job.closing || job.phase !== 'running') return;
    job.changed = true;
    const lost = toWire(new DafError('ERR_DAF_WORKER_LOST', `worker ${attempt.worker} was lost`, { retryable: true }));
    if (withWorker) this.#setbacks.countLoss(job, attempt.task, lost, now);
    else this.#setbacks.requeue(job, attempt.task, now, 0);
  }

  #removeWorker(id: string, dead: boolean, now: number): void {
    const worker = this.#workers.get(id);
    if (worker === undefined) return;
    this.#workers.delete(id);
    this.#scheduler.withdraw(id);
    this.#seen.end(id);
    const jobs = new Set<string>();
    for (const attempt of [...worker.held.values()]) {
      jobs.add(attempt.job);
      this.#lose(attempt, dead, now);
    }
    if (dead) for (const job of jobs) this.#out.push({ kind: 'event', job, event: { kind: 'worker-lost', job, worker: id } });
  }

  #checkComplete(job: JobState): void {
    if (job.phase !== 'running' || job.closing || !job.complete) return;
    job.closing = true;
    this.#out.push({ kind: 'set-phase', job: job.spec.id, from: 'running', to: 'publishing', error: null });
  }

  #end(job: JobState, now: number): void {
    const id = job.spec.id;
    this.#scheduler.remove(job);
    job.endedAt = now;
    let live = false;
    for (const attempt of [...job.live()]) {
      live = true;
      if (attempt.state === 'running') this.#attempts.revoke(attempt);
    }
    for (const worker of this.#workers.keys()) this.#out.send(worker, { type: 'drop-job', job: id });
    this.#out.push({ kind: 'clean', job: id, again: live });
    this.#out.push({ kind: 'ended', job: id });
    this.#ended.push(id);
    if (this.#ended.length > MAX_ENDED) this.jobs.delete(this.#ended.shift()!);
  }
}
