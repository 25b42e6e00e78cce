import { DafError, toWire, type WireError } from '../../core/contracts/errors.js';
import type { JobPhase, JobSpec } from '../../core/contracts/job.js';
import type { StoredJob, StoredTask } from '../../core/contracts/stores.js';
import type { Books } from './books.js';
import { JobState } from './job-state.js';
import { TASK } from './task-table.js';

/** Ended jobs that stay listed. */
const MAX_ENDED = 1000;

/** The life of jobs: accepted or found in the store, complete or cancelled, published, ended. */
export class JobEvents {
  readonly #books: Books;
  readonly #ended: string[] = [];
  /** Those that have not ended: of thousands that are listed a few. */
  readonly open = new Set<JobState>();
  readonly #toPublish = new Set<JobState>();
  #order = 0;

  constructor(books: Books) {
    this.#books = books;
  }

  /** A job found in the store at start. */
  load(stored: StoredJob, tasks: readonly StoredTask[], now: number): void {
    const { jobs, options, scheduler, setbacks } = this.#books;
    const job = new JobState(stored.spec, this.#order++, now);
    jobs.set(job.spec.id, job);
    this.open.add(job);
    job.phase = stored.phase;
    job.error = (stored.error as WireError | null) ?? null;
    if (stored.phase === 'done') job.restoreDone();
    else job.restore(tasks);
    job.heldUntil = now + options.graceMs;
    if (job.phase === 'running') scheduler.add(job);
    else if (job.phase === 'publishing') this.#toPublish.add(job);
    else this.#end(job, now);
    if (job.phase === 'running') {
      // The last coordinator may have died between opening a task anew and those that had read it.
      for (const { task, commit } of tasks) {
        const stale = commit !== null && !job.readsStand(commit.outcome);
        if (stale && job.table(task).state[task.index] === TASK.committed) setbacks.reopen(job, task);
      }
    }
    this.progressed(job);
  }

  /** Publishes complete jobs of an earlier coordinator, once workers had the time to tell this one what makes their results doubtful. */
  tick(now: number): void {
    for (const job of this.#toPublish) {
      if (now < job.heldUntil) continue;
      this.#toPublish.delete(job);
      this.#books.out.push({ kind: 'publish', job: job.spec.id });
    }
  }

  /** A job that the store has just created. */
  created(spec: JobSpec, now: number): void {
    const { jobs, scheduler } = this.#books;
    if (jobs.has(spec.id)) return;
    const job = new JobState(spec, this.#order++, now);
    jobs.set(spec.id, job);
    this.open.add(job);
    scheduler.add(job);
    this.progressed(job);
  }

  /** Starts to cancel a running job; false when it is too late. An ended job is left as it is. */
  cancel(id: string): boolean {
    const job = this.#books.jobs.get(id);
    if (job === undefined || job.phase !== 'running') return false;
    const error = toWire(new DafError('ERR_DAF_CANCELLED', `job ${id} was cancelled`));
    if (!job.closing) this.#books.setbacks.close(job, 'cancelled', error);
    return true;
  }

  /**
   * Its code did something outside its tasks that leaves its results in doubt: it fails, where it is not published yet.
   * @returns how it ended; null while that is not certain
   */
  strayed(id: string, error: WireError): 'failed' | 'too late' | null {
    const job = this.#books.jobs.get(id);
    if (job === undefined || job.phase === 'done') return 'too late';
    if (job.phase === 'failed' || job.phase === 'cancelled') return 'failed';
    job.stray ??= error;
    if (job.phase === 'running' && !job.closing) this.#books.setbacks.close(job, 'failed', error);
    return null;
  }

  phaseSet(id: string, to: JobPhase, now: number): void {
    const job = this.#books.jobs.get(id);
    if (job === undefined) return;
    job.phase = to;
    job.changed = true;
    if (to === 'publishing') {
      this.#books.scheduler.remove(job);
      this.#books.out.push({ kind: 'publish', job: id });
    } else if (to !== 'running') this.#end(job, now);
  }

  published(id: string): void {
    this.#books.out.push({ kind: 'set-phase', job: id, from: 'publishing', to: 'done', error: null });
  }

  publishFailed(id: string, error: WireError): void {
    const job = this.#books.jobs.get(id);
    if (job !== undefined) job.error = error;
    this.#books.out.push({ kind: 'set-phase', job: id, from: 'publishing', to: 'failed', error });
  }

  /** To be called when tasks may have become committed: drops what nobody will read, publishes what is complete. */
  progressed(job: JobState): void {
    if (job.phase !== 'running' || job.closing) return;
    if (job.skipped > job.spec.maxSkipped) {
      const why = `job ${job.spec.id} would go on without ${job.skipped} records, more than ${job.spec.maxSkipped}`;
      const hint = 'correct the input or the code, or raise --max-skipped';
      this.#books.setbacks.close(job, 'failed', toWire(new DafError('ERR_DAF_BAD_DATA', why, { hint })));
      return;
    }
    const { out, workers } = this.#books;
    for (const read of job.graph.takeDroppable()) {
      for (const worker of workers.keys()) out.send(worker, { type: 'drop-outputs', job: job.spec.id, ...read });
    }
    if (!job.graph.complete) return;
    job.closing = true;
    out.push({ kind: 'set-phase', job: job.spec.id, from: 'running', to: 'publishing', error: null });
  }

  #end(job: JobState, now: number): void {
    const { attempts, jobs, out, scheduler, workers } = this.#books;
    const id = job.spec.id;
    scheduler.remove(job);
    this.open.delete(job);
    job.endedAt = now;
    let live = false;
    for (const attempt of [...job.live()]) {
      live = true;
      if (attempt.state === 'running') attempts.revoke(attempt);
    }
    for (const worker of workers.keys()) out.send(worker, { type: 'drop-job', job: id });
    out.push({ kind: 'clean', job: id, again: live });
    out.push({ kind: 'ended', job: id });
    this.#ended.push(id);
    if (this.#ended.length > MAX_ENDED) jobs.delete(this.#ended.shift()!);
  }
}
