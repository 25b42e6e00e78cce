import { DafError, toWire } from '../../core/contracts/errors.js';
import { type Heartbeat, MAX_BATCH, PROTOCOL, type WorkerStatus } from '../../core/contracts/messages.js';
import type { Assignment } from '../../core/contracts/task.js';
import { taskBudget } from '../../core/memory-plan.js';
import type { Books } from './books.js';
import type { WorkerInfo } from './effects.js';
import type { Worker } from './scheduler.js';
import type { Attempt } from './task-table.js';

/** Workers come, beat, ask for work and go; what they held goes to others. */
export class WorkerEvents {
  readonly #books: Books;

  constructor(books: Books) {
    this.#books = books;
  }

  hello(info: WorkerInfo, running: readonly Assignment[], now: number): void {
    const { workers, scheduler, seen, out, options, health } = this.#books;
    const before = workers.get(info.worker);
    const { host, pid, threads, budgetBytes, endpoint } = info;
    const worker: Worker = {
      worker: info.worker,
      host,
      pid,
      threads,
      budgetBytes,
      roomBytes: taskBudget(budgetBytes, threads),
      endpoint,
      held: before?.held ?? new Set(),
      capacity: 0,
      creditSeq: -1,
      peakBytes: before?.peakBytes ?? 0,
    };
    workers.set(info.worker, worker);
    this.#books.noteRoom();
    if (before?.endpoint !== endpoint) this.#books.membership += 1;
    scheduler.withdraw(info.worker);
    seen.renew(info.worker, now);
    health.arrived(info.worker, host, now);
    const named = new Set(running.map((each) => `${each.job}/${each.attempt}`));
    const another = before?.pid !== info.pid;
    // What it does not know of never reached it, or died with the process that bore its name. A full list may not name all that it
    // holds: the leases of the others tell.
    if (another || running.length < MAX_BATCH) {
      for (const attempt of [...worker.held]) if (!named.has(keyOf(attempt))) this.#lose(attempt, another, now);
    }
    out.send(info.worker, {
      type: 'welcome',
      protocol: PROTOCOL,
      term: options.term,
      heartbeatMs: options.heartbeatMs,
      leaseMs: options.leaseMs,
    });
    for (const assignment of running) this.#adopt(worker, assignment, now);
  }

  /** The worker if this term knows it; hearing of it renews its lease. */
  heard(id: string, now: number): Worker | undefined {
    const worker = this.#books.workers.get(id);
    if (worker !== undefined) this.#books.seen.renew(id, now);
    return worker;
  }

  heartbeat(worker: Worker, message: Pick<Heartbeat, 'running' | 'peakBytes'>, now: number): void {
    const { attempts, jobs } = this.#books;
    worker.peakBytes = Math.max(worker.peakBytes, message.peakBytes);
    for (const { job, attempt: name, progress } of message.running) {
      const attempt = attempts.get(job, name);
      if (attempt === undefined || attempt.worker !== worker.worker) {
        attempts.answerUnknown(worker.worker, job, name);
        continue;
      }
      if (attempt.state !== 'running') continue;
      attempts.renew(attempt, now);
      if (attempt.progress === progress) continue;
      const state = jobs.get(job)!;
      state.table(attempt.task).setProgress(attempt, progress);
      state.changed = true;
    }
  }

  credit(worker: Worker, seq: number, capacity: number): void {
    if (seq <= worker.creditSeq) return;
    worker.creditSeq = seq;
    worker.capacity = capacity;
    this.#books.scheduler.offer(worker);
  }

  bye(id: string, now: number): void {
    this.#remove(id, false, now);
  }

  /** Ends the leases of workers and attempts that were not renewed. */
  expire(now: number): void {
    const { attempts, out, seen } = this.#books;
    for (const worker of seen.expire(now)) this.#remove(worker, true, now);
    for (const attempt of attempts.expire(now)) {
      out.revoke(attempt.worker, attempt.job, attempt.name);
      this.#lose(attempt, false, now);
    }
  }

  list(now: number): WorkerStatus[] {
    const { workers, seen, health } = this.#books;
    return [...workers.values()]
      .sort((a, b) => (a.worker < b.worker ? -1 : 1))
      .map(({ worker, host, pid, threads, held, peakBytes }) => ({
        worker,
        host,
        pid,
        threads,
        running: [...held].map(keyOf),
        peakBytes,
        aside: health.isAside(worker, now),
        silentMs: Math.max(0, now - (seen.renewedAt(worker) ?? 0)),
      }));
  }

  /** A worker says at hello what it is at: attempts of this term go on, those of an earlier term are taken up or fenced. */
  #adopt(worker: Worker, assignment: Assignment, now: number): void {
    const { attempts } = this.#books;
    const { job, attempt: name } = assignment;
    const known = attempts.get(job, name);
    if (known !== undefined && known.worker === worker.worker) attempts.renew(known, now);
    else if (known === undefined && attempts.adoptable(assignment)) attempts.begin(worker, { ...assignment, backup: false }, now);
    else attempts.answerUnknown(worker.worker, job, name);
  }

  /** An attempt whose worker is gone or never had it. */
  #lose(attempt: Attempt, withWorker: boolean, now: number): void {
    const { attempts, jobs, setbacks } = this.#books;
    const job = jobs.get(attempt.job);
    attempts.release(attempt);
    if (attempt.state !== 'running') return; // reported in time: the store's answer decides
    attempts.drop(attempt);
    if (job === undefined || job.closing || job.phase !== 'running') return;
    job.changed = true;
    const lost = toWire(new DafError('ERR_DAF_WORKER_LOST', `worker ${attempt.worker} was lost`, { retryable: true }));
    if (withWorker) setbacks.countLoss(job, attempt.task, lost, now);
    else setbacks.requeue(job, attempt.task, now, 0);
  }

  #remove(id: string, dead: boolean, now: number): void {
    const { workers, scheduler, seen, out, health } = this.#books;
    const worker = workers.get(id);
    if (worker === undefined) return;
    workers.delete(id);
    this.#books.noteRoom();
    this.#books.membership += 1;
    scheduler.withdraw(id);
    seen.end(id);
    health.left(id, now);
    const jobs = new Set<string>();
    for (const attempt of [...worker.held]) {
      jobs.add(attempt.job);
      this.#lose(attempt, dead, now);
    }
    if (dead) for (const job of jobs) out.push({ kind: 'event', job, event: { kind: 'worker-lost', job, worker: id } });
  }
}

function keyOf({ job, name }: Attempt): string {
  return `${job}/${name}`;
}
