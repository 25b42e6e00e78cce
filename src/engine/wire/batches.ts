import {
  isPlain,
  PLAIN,
  packAssignment,
  packReport,
  plainAt,
  pushPlain,
  unpackAssignment,
  unpackReport,
} from '../../core/compact.js';
import { DafError, toWire } from '../../core/contracts/errors.js';
import { attemptName, type TaskId } from '../../core/contracts/job.js';
import { MAX_BATCH, type Verdicts } from '../../core/contracts/messages.js';
import type { Assignment, Outcome, Report } from '../../core/contracts/task.js';
import { type Check, list, mustBe, oneOf, record, whole } from './check.js';
import {
  assignment,
  bytes,
  coverage,
  epoch as givenEpoch,
  attemptName as givenName,
  jobId,
  MAX_INDEX,
  report,
  stage,
  step,
  taskId,
  workerName,
} from './nouns.js';

/*
 * The batches that cross the wire for every task. Entries in a row that have all but a few numbers in common travel as one group: what is
 * common once, then the numbers, one after the other; names of attempts are made again from them. All else goes one by one, as lists
 * (core/compact.ts). What comes is checked here, so that a group is checked once and not for every entry.
 */

type Verdict = Verdicts['verdicts'][number];
type PlainOutcome = Extract<Outcome, { kind: 'done' }>;

/** [job, step, stage, generation, term, rows]; a row: index, counter, try. */
const ASSIGNMENTS = 6;
const ASSIGNMENT_ROW = 3;
/** [job, step, stage, generation, term, worker, reservedBytes, rows]; a row: index, counter, three of usage, the outcome's. */
const REPORTS = 8;
const REPORT_ROW = 5 + PLAIN;
/** [job, verdict, attempts]. */
const VERDICTS = 3;

const attempts = list(givenName, MAX_BATCH);
const verdict = oneOf('committed', 'discarded', 'failure-noted');
const anyWhole = whole();
/** What a report is of. */
const reportHead = record({ job: jobId, task: taskId, generation: anyWhole, attempt: givenName, epoch: givenEpoch });

export function packAssignments(all: readonly Assignment[]): unknown[] {
  const packed: unknown[] = [];
  let first: Assignment | null = null;
  let rows: number[] = [];
  for (const each of all) {
    if (each.backup || !isNamedAfter(each)) {
      packed.push(packAssignment(each));
      first = null;
      continue;
    }
    const { job, task, generation, epoch } = each;
    if (first === null || !goTogether(first, each)) {
      first = each;
      rows = [];
      packed.push([job, task.step, task.stage, generation, epoch.term, rows]);
    }
    rows.push(task.index, epoch.counter, each.try);
  }
  return packed;
}

/** @throws DafError ERR_DAF_PROTOCOL */
export function unpackAssignments(packed: unknown): Assignment[] {
  const all: Assignment[] = [];
  for (const entry of entries(packed)) {
    if (!isGroup(entry, ASSIGNMENTS)) {
      all.push(checked(assignment, unpackAssignment(entry)));
      continue;
    }
    const [job, at, kind, generation, term, given] = entry;
    checkHead(job, at, kind, generation, term);
    const rows = rowsOf(given, ASSIGNMENT_ROW);
    for (let i = 0; i < rows.length; i += ASSIGNMENT_ROW) {
      const task = taskOf(at, kind, rows[i]!);
      const epoch = { term: term as number, counter: rows[i + 1]! };
      const attempt = attemptName(task, generation as number, epoch);
      const tries = rows[i + 2]!;
      if (tries === 0) throw malformed('a try of 0');
      all.push({ job: job as string, task, generation: generation as number, attempt, epoch, try: tries, backup: false });
    }
  }
  return bounded(all);
}

/** True for a report of which a group can be made: its size in a message is then next to nothing. */
export function isShort(report: Report): boolean {
  return isPlain(report.outcome) && Number.isSafeInteger(report.usage.milliseconds) && isNamedAfter(report);
}

/**
 * Reports as entries of a batch.
 * @param alone what stands for one that is not short; null for one that is, and goes into a group
 */
export function groupReports<T>(all: readonly T[], reportOf: (each: T) => Report, alone: (each: T) => unknown): unknown[] {
  const packed: unknown[] = [];
  let first: Report | null = null;
  let rows: number[] = [];
  for (const each of all) {
    const own = alone(each);
    if (own !== null) {
      packed.push(own);
      first = null;
      continue;
    }
    const report = reportOf(each);
    const { job, task, generation, epoch, usage } = report;
    if (first === null || !goTogether(first, report) || !isUsedAlike(first, report)) {
      first = report;
      rows = [];
      packed.push([job, task.step, task.stage, generation, epoch.term, usage.worker, usage.reservedBytes, rows]);
    }
    rows.push(task.index, epoch.counter, usage.milliseconds, usage.nativePeakBytes, usage.processPeakBytes);
    pushPlain(rows, report.outcome as PlainOutcome);
  }
  return packed;
}

export function packReportList(all: readonly Report[]): unknown[] {
  return groupReports(
    all,
    (each) => each,
    (each) => (isShort(each) ? null : packReport(each)),
  );
}

/**
 * A malformed report of a named attempt tells that this has failed, and why: refused with its batch it would be sent again for ever, and
 * so would the good ones beside it.
 * @throws DafError ERR_DAF_PROTOCOL where it cannot be told what the reports are of
 */
export function unpackReports(packed: unknown): Report[] {
  const all: Report[] = [];
  for (const entry of entries(packed)) {
    if (isGroup(entry, REPORTS)) unpackGroup(entry, all);
    else {
      const given = unpackReport(entry) as Report;
      const wrong = report(given);
      all.push(wrong === null ? given : failedFor(wrong, given));
    }
  }
  return bounded(all);
}

const NO_USAGE = { worker: '', milliseconds: 0, reservedBytes: 0, nativePeakBytes: 0, processPeakBytes: 0 };

function failedFor(wrong: string, given: Pick<Report, 'job' | 'task' | 'generation' | 'attempt' | 'epoch'>): Report {
  mustBe(reportHead, given, 'entry');
  const { job, task, generation, attempt, epoch } = given;
  const error = new DafError('ERR_DAF_PROTOCOL', `malformed report of ${attempt}${wrong}`, {
    hint: 'are coordinator and workers of one version, and is the addon of the worker built from it?',
  });
  return { job, task, generation, attempt, epoch, outcome: { kind: 'failed', error: toWire(error), lost: [] }, usage: NO_USAGE };
}

function unpackGroup(entry: readonly unknown[], all: Report[]): void {
  const [job, at, kind, generation, term, worker, reserved, given] = entry;
  checkHead(job, at, kind, generation, term);
  const common = workerName(worker) ?? bytes(reserved);
  const rows = anyRows(given, REPORT_ROW);
  for (let i = 0; i < rows.length; i += REPORT_ROW) {
    // Nothing is made of an index or a counter that is none.
    for (let k = i; k < i + 2; k++) if (!isWhole(rows[k])) throw malformed(NOT_WHOLE);
    const task = taskOf(at, kind, rows[i]!);
    const epoch = { term: term as number, counter: rows[i + 1]! };
    const attempt = attemptName(task, generation as number, epoch);
    const outcome = plainAt(rows, i + 5);
    let wrong = common;
    for (let k = i + 2; k < i + REPORT_ROW; k++) if (!isWhole(rows[k])) wrong ??= `: ${NOT_WHOLE}`;
    if (outcome.intake !== null) wrong ??= coverage(outcome.intake.coverage);
    if (wrong !== null) {
      all.push(failedFor(wrong, { job: job as string, task, generation: generation as number, attempt, epoch }));
      continue;
    }
    all.push({
      job: job as string,
      task,
      generation: generation as number,
      attempt,
      epoch,
      outcome,
      usage: {
        worker: worker as string,
        milliseconds: rows[i + 2]!,
        reservedBytes: reserved as number,
        nativePeakBytes: rows[i + 3]!,
        processPeakBytes: rows[i + 4]!,
      },
    });
  }
}

export function packVerdicts(all: readonly Verdict[]): unknown[] {
  const packed: unknown[] = [];
  let first: Verdict | null = null;
  let named: string[] = [];
  for (const each of all) {
    if (first === null || first.job !== each.job || first.verdict !== each.verdict) {
      first = each;
      named = [];
      packed.push([each.job, each.verdict, named]);
    }
    named.push(each.attempt);
  }
  return packed;
}

/** @throws DafError ERR_DAF_PROTOCOL */
export function unpackVerdicts(packed: unknown): Verdict[] {
  const all: Verdict[] = [];
  for (const entry of entries(packed)) {
    if (!isGroup(entry, VERDICTS)) throw malformed('no verdicts');
    const [job, what, named] = entry;
    mustBe(jobId, job, 'job');
    mustBe(verdict, what, 'verdict');
    mustBe(attempts, named, 'attempts');
    for (const attempt of named as readonly string[]) {
      all.push({ job: job as string, attempt, verdict: what as Verdict['verdict'] });
    }
  }
  return bounded(all);
}

function isNamedAfter({
  task,
  generation,
  attempt,
  epoch,
}: Pick<Assignment, 'task' | 'generation' | 'attempt' | 'epoch'>): boolean {
  return attempt === attemptName(task, generation, epoch);
}

type Common = Pick<Assignment, 'job' | 'task' | 'generation' | 'epoch'>;

function goTogether(a: Common, b: Common): boolean {
  return (
    a.job === b.job &&
    a.task.step === b.task.step &&
    a.task.stage === b.task.stage &&
    a.generation === b.generation &&
    a.epoch.term === b.epoch.term
  );
}

function isUsedAlike({ usage: a }: Report, { usage: b }: Report): boolean {
  return a.worker === b.worker && a.reservedBytes === b.reservedBytes;
}

function entries(packed: unknown): readonly unknown[] {
  if (!Array.isArray(packed) || packed.length > MAX_BATCH) throw malformed(`expected a list of at most ${MAX_BATCH}`);
  return packed;
}

function isGroup(entry: unknown, length: number): entry is readonly unknown[] {
  return Array.isArray(entry) && entry.length === length;
}

function checkHead(job: unknown, at: unknown, kind: unknown, generation: unknown, term: unknown): void {
  mustBe(jobId, job, 'job');
  mustBe(step, at, 'step');
  mustBe(stage, kind, 'stage');
  mustBe(anyWhole, generation, 'generation');
  mustBe(anyWhole, term, 'term');
}

function taskOf(at: unknown, kind: unknown, i: number): TaskId {
  if (i > MAX_INDEX) throw malformed(`a task ${i}`);
  return { step: at as number, stage: kind as TaskId['stage'], index: i };
}

/** Rows of numbers that are whole and not negative. */
function rowsOf(given: unknown, width: number): readonly number[] {
  const rows = anyRows(given, width);
  for (let i = 0; i < rows.length; i++) if (!isWhole(rows[i])) throw malformed(NOT_WHOLE);
  return rows;
}

const NOT_WHOLE = 'a row holds something else than whole numbers';

/** Rows of which the numbers are not looked at yet. */
function anyRows(given: unknown, width: number): readonly number[] {
  if (!Array.isArray(given) || given.length % width !== 0 || given.length > MAX_BATCH * width) throw malformed('no rows');
  return given as readonly number[];
}

/** -0 would be another key in the state than 0. */
function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
}

function checked<T>(check: Check, entry: unknown): T {
  mustBe(check, entry, 'entry');
  return entry as T;
}

function bounded<T>(all: T[]): T[] {
  if (all.length > MAX_BATCH) throw malformed(`${all.length} entries, more than ${MAX_BATCH}`);
  return all;
}

function malformed(why: string): DafError {
  return new DafError('ERR_DAF_PROTOCOL', `malformed batch: ${why}`);
}
