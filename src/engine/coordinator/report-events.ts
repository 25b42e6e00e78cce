import { DafError, isFinal, toWire, type WireError } from '../../core/contracts/errors.js';
import { type TaskId, taskName } from '../../core/contracts/job.js';
import { readsOf } from '../../core/contracts/step.js';
import { type Commit, FIRST_SKIPPING_TRY, type LostOutput, type Report } from '../../core/contracts/task.js';
import type { Books } from './books.js';
import type { JobEvents } from './job-events.js';
import type { JobState } from './job-state.js';
import type { Worker } from './scheduler.js';
import { type Attempt, TASK } from './task-table.js';

/** How attempts end: what workers report, and what the store answers to it. */
export class ReportEvents {
  readonly #books: Books;
  readonly #jobs: JobEvents;

  constructor(books: Books, jobs: JobEvents) {
    this.#books = books;
    this.#jobs = jobs;
  }

  report(worker: Worker, report: Report, now: number): void {
    const { attempts, jobs, out, setbacks } = this.#books;
    const id = worker.worker;
    if (attempts.isOfLaterTerm(report.epoch)) return;
    const job = jobs.get(report.job);
    const attempt = attempts.find(report.job, report.attempt, report.epoch) ?? this.#adopt(worker, report, now);
    if (attempt === undefined || job === undefined || attempt.worker !== id) {
      const winner = job?.has(report.task) && job.table(report.task).isWinner(report.task.index, report.generation, report.epoch);
      out.verdict(id, report.job, report.attempt, winner ? 'committed' : 'discarded');
      return;
    }
    if (attempt.state !== 'running') return; // a second copy; the answer is on its way
    attempts.release(attempt);
    const { outcome } = report;
    if (job.closing || job.phase !== 'running') {
      attempts.drop(attempt);
      out.verdict(id, report.job, report.attempt, 'discarded');
    } else if (outcome.kind === 'failed') {
      this.#failed(job, attempt, outcome.error, outcome.lost, now);
    } else if (!job.graph.readsAreComplete(attempt.task, outcome)) {
      const why = `${taskName(attempt.task)} did not read everything it has to`;
      this.#failed(job, attempt, toWire(new DafError('ERR_DAF_PROTOCOL', why)), [], now);
    } else if (!job.readsStand(outcome)) {
      attempts.drop(attempt);
      out.verdict(id, report.job, report.attempt, 'discarded');
      setbacks.requeue(job, attempt.task, now, 0);
    } else {
      attempt.state = 'deciding';
      const { task, generation, epoch } = attempt;
      out.push({
        kind: 'commit',
        job: report.job,
        commit: { task, generation, attempt: attempt.name, epoch, outcome, usage: report.usage },
      });
    }
  }

  /** `winner`: the commit that stands for this task and generation now; null when the store discarded it for another reason. */
  commitDecided(id: string, commit: Commit, winner: Pick<Commit, 'epoch' | 'outcome'> | null, now: number): void {
    const { attempts, jobs, out, setbacks, health } = this.#books;
    const job = jobs.get(id);
    const attempt = attempts.find(id, commit.attempt, commit.epoch);
    if (attempt !== undefined) attempts.drop(attempt);
    const own = winner !== null && winner.epoch.term === commit.epoch.term && winner.epoch.counter === commit.epoch.counter;
    if (attempt !== undefined) out.verdict(attempt.worker, id, commit.attempt, own ? 'committed' : 'discarded');
    if (job === undefined || job.phase !== 'running') return;
    const table = job.table(commit.task);
    const { index } = commit.task;
    if (winner === null) {
      if (table.generation[index] === commit.generation) setbacks.requeue(job, commit.task, now, 0);
      return;
    }
    const stands = table.state[index] === TASK.committed || table.state[index] === TASK.reopening;
    if (table.generation[index] !== commit.generation || stands) return;
    table.commit(index, winner.epoch);
    if (own && attempt !== undefined) health.succeeded(attempt.worker, table.noteDuration(now - attempt.startedAt));
    job.count(winner.outcome, 1);
    job.changed = true;
    for (const other of table.live(index).slice()) if (other.state === 'running') attempts.revoke(other);
    if (!job.readsStand(winner.outcome)) setbacks.reopen(job, commit.task);
    job.graph.noteHomes(commit.task, winner.outcome.held?.copies ?? []);
    if (table.complete) this.#jobs.progressed(job);
  }

  failureCounted(id: string, name: string, count: number, now: number): void {
    const { attempts, jobs, out, setbacks } = this.#books;
    const job = jobs.get(id);
    const attempt = attempts.get(id, name);
    if (attempt === undefined || job === undefined) return;
    attempts.drop(attempt);
    out.verdict(attempt.worker, id, name, 'failure-noted');
    if (job.closing || job.phase !== 'running') return;
    const table = job.table(attempt.task);
    if (table.generation[attempt.task.index] === attempt.generation && table.state[attempt.task.index] !== TASK.committed) {
      if (endsJob(job, attempt)) setbacks.giveUp(job, attempt.task, 'no attempt can do better', attempt.failure!);
      else if (count >= job.spec.maxAttempts && mayBeLast(job, attempt))
        setbacks.giveUp(job, attempt.task, `${count} attempts failed`, attempt.failure!);
      else setbacks.requeue(job, attempt.task, now, count);
    }
  }

  /** `outcome`: what the commit that was taken back had contributed; null when the store refused to reopen. */
  reopened(id: string, task: TaskId, generation: number, outcome: Commit['outcome'] | null, now: number): void {
    const job = this.#books.jobs.get(id);
    if (job === undefined) return;
    const table = job.table(task);
    if (table.state[task.index] !== TASK.reopening || table.generation[task.index] !== generation) return;
    if (outcome !== null) job.count(outcome, -1);
    table.reopen(task.index, generation + 1, now);
    job.changed = true;
    if (job.spec.deterministic) return;
    // What others read may differ now; those in flight are checked when they report.
    for (const reader of [...job.graph.readersOf(task)]) this.#books.setbacks.reopen(job, reader);
  }

  /** An attempt that ran out of time has failed, whatever its worker will say. */
  overdue(attempt: Attempt, now: number): void {
    const { attempts, jobs, out } = this.#books;
    const job = jobs.get(attempt.job);
    if (job === undefined || job.closing || job.phase !== 'running') return;
    out.revoke(attempt.worker, attempt.job, attempt.name);
    attempts.release(attempt);
    const why = `${attempt.name} took longer than ${job.spec.taskTimeoutMs} ms`;
    const error = new DafError('ERR_DAF_TIMEOUT', why, { hint: 'raise --task-timeout, or use smaller splits' });
    this.#failed(job, attempt, toWire(error), [], now);
  }

  /** A report of an earlier term's attempt that its worker had finished while no coordinator listened. */
  #adopt(worker: Worker, { job, task, generation, attempt, epoch }: Report, now: number): Attempt | undefined {
    const { attempts } = this.#books;
    const assignment = { job, task, generation, attempt, epoch, try: 1, backup: false };
    return attempts.adoptable(assignment) ? attempts.begin(worker, assignment, now) : undefined;
  }

  #failed(job: JobState, attempt: Attempt, error: WireError, lost: readonly LostOutput[], now: number): void {
    const { attempts, out, setbacks } = this.#books;
    const { task, name, worker } = attempt;
    job.failedAttempts += 1;
    job.changed = true;
    const event = { kind: 'attempt-failed', job: job.spec.id, task: taskName(task), attempt: name, worker, error, lost } as const;
    out.push({ kind: 'event', job: job.spec.id, event });
    // The last one: its thread was taken down by what it need not be at fault for.
    const stopped = ['ERR_DAF_CANCELLED', 'ERR_DAF_CLOSED', 'ERR_DAF_WORKER_LOST'].includes(error.code);
    const missing = lost.filter((each) => reads(job, task, each.task));
    if (missing.length > 0 || stopped) {
      attempts.drop(attempt);
      out.verdict(worker, job.spec.id, name, 'failure-noted');
      let reopened = 0;
      for (const each of missing) if (setbacks.lostOutput(job, each, error)) reopened += 1;
      // Not this task's fault: it waits until what it reads is back. A complaint about what is there counts as a loss.
      if (reopened > 0) setbacks.requeue(job, task, now, 0);
      else setbacks.countLoss(job, task, error, now);
      return;
    }
    attempt.state = 'failing';
    attempt.failure = error;
    if (!endsJob(job, attempt)) this.#books.health.failed(worker, now);
    job.table(task).noteFailure(task.index, worker);
    const { generation } = attempt;
    out.push({ kind: 'count-failure', job: job.spec.id, task, generation, attempt: name, worker });
  }
}

/** A failure that is the caller's own, unless a record may be at fault that later attempts would go on without. */
function endsJob(job: JobState, { failure, task }: Attempt): boolean {
  return isFinal(failure!) && !(job.spec.maxSkipped > 0 && task.stage === 'map');
}

/**
 * In a job that may go on without some records a map ends it only by an attempt that looked for them: restarts and lost workers can leave several
 * behind that did not, and each of them fails.
 */
function mayBeLast({ spec }: JobState, attempt: Attempt): boolean {
  if (spec.maxSkipped === 0 || attempt.task.stage !== 'map') return true;
  return attempt.try >= Math.min(spec.maxAttempts, FIRST_SKIPPING_TRY + 1);
}

function reads(job: JobState, reader: TaskId, { step, stage, index }: TaskId): boolean {
  return readsOf(job.spec, reader).some(
    (read) => read.step === step && read.stage === stage && index >= read.from && index < read.from + read.count,
  );
}
