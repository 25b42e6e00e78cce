import { attemptName, type Split, type SplitPiece, type TaskId } from './contracts/job.js';
import type { Assignment, AttemptUsage, Commit, Intake, Outcome, Report } from './contracts/task.js';

/*
 * What crosses the wire and lies in the state for every task, as lists instead of objects: names of members, written and read again for every
 * task, would cost more than all else that a short task does. The order of members is the order in which they are written here. What
 * is read is believed in nothing: a list of another length stays as it is, and members keep what they held, for a check to look at.
 */

type Done = Extract<Outcome, { kind: 'done' }>;
type Packed = readonly unknown[];

const ASSIGNMENT = 10;
const REPORT = 14;
const COMMIT = 9;
const PLAIN_COMMIT = 13;
const DONE = 9;
const INTAKE = 3;
const SPLIT = 2;

export function packAssignment({ job, task, generation, attempt, epoch, try: tries, backup }: Assignment): Packed {
  return [job, task.step, task.stage, task.index, generation, attempt, epoch.term, epoch.counter, tries, backup];
}

export function unpackAssignment(packed: unknown): unknown {
  if (!isList(packed, ASSIGNMENT)) return packed;
  const [job, step, stage, index, generation, attempt, term, counter, tries, backup] = packed;
  return { job, task: { step, stage, index }, generation, attempt, epoch: { term, counter }, try: tries, backup };
}

export function packReport({ job, task, generation, attempt, epoch, outcome, usage }: Report): Packed {
  const { worker, milliseconds, reservedBytes, nativePeakBytes, processPeakBytes } = usage;
  return [
    job,
    task.step,
    task.stage,
    task.index,
    generation,
    attempt,
    epoch.term,
    epoch.counter,
    packOutcome(outcome),
    worker,
    milliseconds,
    reservedBytes,
    nativePeakBytes,
    processPeakBytes,
  ];
}

export function unpackReport(packed: unknown): unknown {
  if (!isList(packed, REPORT)) return packed;
  const usage = unpackUsage(packed, 9);
  return {
    job: packed[0],
    task: { step: packed[1], stage: packed[2], index: packed[3] },
    generation: packed[4],
    attempt: packed[5],
    epoch: { term: packed[6], counter: packed[7] },
    outcome: unpackOutcome(packed[8]),
    usage,
  };
}

/**
 * Of a task whose name and generation are known, from which the attempt's name follows, mostly: that is null then. One that is all numbers is a
 * list of them beside the worker: lists within lists would take as long again, of each of a hundred thousand tasks that are read to publish a job.
 */
export function packCommit({ task, generation, attempt, epoch, outcome, usage }: Commit): Packed {
  const { worker, milliseconds, reservedBytes, nativePeakBytes, processPeakBytes } = usage;
  const { term, counter } = epoch;
  const name = attempt === attemptName(task, generation, epoch) ? null : attempt;
  if (name === null && isPlain(outcome)) {
    const packed: unknown[] = [term, counter];
    pushPlain(packed, outcome);
    packed.push(worker, milliseconds, reservedBytes, nativePeakBytes, processPeakBytes);
    return packed;
  }
  const done = packOutcome(outcome);
  return [name, term, counter, done, worker, milliseconds, reservedBytes, nativePeakBytes, processPeakBytes];
}

/** True for what {@link packCommit} made of a commit that is all numbers. */
export function isPlainCommit(packed: unknown): packed is Packed {
  return isList(packed, PLAIN_COMMIT);
}

/** Of what {@link packCommit} made; that of earlier versions is the longer form throughout, or holds the outcome's numbers in a list. */
export function unpackCommit(packed: unknown, task: TaskId, generation: number): Commit {
  if (isPlainCommit(packed)) {
    const epoch = { term: packed[0] as number, counter: packed[1] as number };
    const outcome = plainAt(packed as readonly number[], 2);
    const usage = unpackUsage(packed, 2 + PLAIN) as AttemptUsage;
    return { task, generation, attempt: attemptName(task, generation, epoch), epoch, outcome, usage };
  }
  const list = packed as Packed & { readonly length: typeof COMMIT };
  const epoch = { term: list[1] as number, counter: list[2] as number };
  const outcome = isList(list[3], PLAIN) ? plainAt(list[3] as readonly number[], 0) : (unpackOutcome(list[3]) as Done);
  const attempt = (list[0] as string | null) ?? attemptName(task, generation, epoch);
  return { task, generation, attempt, epoch, outcome, usage: unpackUsage(list, 4) as AttemptUsage };
}

/** A failure stays an object: there are few. */
export function packOutcome(outcome: Outcome): unknown {
  if (outcome.kind !== 'done') return outcome;
  const { held, outputs, counters, recordsIn, skipped, intake, recordsOut, refused, reads } = outcome;
  return [held, outputs, isEmpty(counters) ? null : counters, recordsIn, skipped, packIntake(intake), recordsOut, refused, reads];
}

export function unpackOutcome(packed: unknown): unknown {
  if (!isList(packed, DONE)) return packed;
  const [held, outputs, counters, recordsIn, skipped, intake, recordsOut, refused, reads] = packed;
  return {
    kind: 'done',
    held,
    outputs,
    counters: counters ?? {},
    recordsIn,
    skipped,
    intake: unpackIntake(intake),
    recordsOut,
    refused,
    reads,
  };
}

/** The numbers of an outcome that says nothing but how much it read and wrote, as most short tasks' do. */
export const PLAIN = 6;
const NOTHING: readonly never[] = Object.freeze([]);
const NO_COUNTERS: Readonly<Record<string, number>> = Object.freeze({});

export function isPlain(outcome: Outcome): outcome is Done {
  return (
    outcome.kind === 'done' &&
    outcome.held === null &&
    outcome.outputs.length === 0 &&
    outcome.refused.length === 0 &&
    outcome.reads.length === 0 &&
    isEmpty(outcome.counters)
  );
}

/** Appends the {@link PLAIN} numbers of an outcome that {@link isPlain}. */
export function pushPlain(to: unknown[], { recordsIn, skipped, intake, recordsOut }: Done): void {
  if (intake === null) to.push(recordsIn, skipped, recordsOut, 0, 0, 0);
  else to.push(recordsIn, skipped, recordsOut, 1 + intake.records, intake.coverage.bytes, intake.coverage.seams);
}

/** What {@link pushPlain} appended at `at`. */
export function plainAt(from: ArrayLike<number>, at: number): Done {
  const records = from[at + 3]! - 1;
  return {
    kind: 'done',
    held: null,
    outputs: NOTHING,
    counters: NO_COUNTERS,
    recordsIn: from[at]!,
    skipped: from[at + 1]!,
    intake: records < 0 ? null : { records, coverage: { bytes: from[at + 4]!, seams: from[at + 5]! } },
    recordsOut: from[at + 2]!,
    refused: NOTHING,
    reads: NOTHING,
  };
}

function packIntake(intake: Intake | null): Packed | null {
  return intake === null ? null : [intake.records, intake.coverage.bytes, intake.coverage.seams];
}

function unpackIntake(packed: unknown): unknown {
  if (!isList(packed, INTAKE)) return packed;
  const [records, bytes, seams] = packed;
  return { records, coverage: { bytes, seams } };
}

function unpackUsage(packed: Packed, at: number): unknown {
  return {
    worker: packed[at],
    milliseconds: packed[at + 1],
    reservedBytes: packed[at + 2],
    nativePeakBytes: packed[at + 3],
    processPeakBytes: packed[at + 4],
  };
}

function isList(value: unknown, length: number): value is Packed {
  return Array.isArray(value) && value.length === length;
}

function isEmpty(counters: Readonly<Record<string, number>>): boolean {
  for (const _ in counters) return false;
  return true;
}

export function packSplit({ index, pieces }: Split): Packed {
  return [index, pieces.map(packPiece)];
}

/** What a packed piece holds, in this order. */
const PIECE = [
  'name',
  'path',
  'stored',
  'offset',
  'length',
  'fileLength',
  'compression',
  'unpackedOffset',
  'split',
  'at',
  'unpackedLength',
  'version',
] as const satisfies readonly (keyof SplitPiece)[];

function packPiece(piece: SplitPiece): Packed {
  return PIECE.map((key) => piece[key]);
}

/** Of what {@link packSplit} made; lists of splits of earlier versions, which a replay may read, hold objects. */
export function unpackSplit(packed: unknown): Split {
  if (!isList(packed, SPLIT)) return packed as Split;
  const [index, pieces] = packed as unknown as [number, Packed[]];
  return { index, pieces: Array.isArray(pieces) ? pieces.map(unpackPiece) : pieces };
}

/** Written out, since every map task has one: put together from {@link PIECE} it took longer than all else that a short task does. */
function unpackPiece(packed: Packed): SplitPiece {
  const piece: Record<(typeof PIECE)[number], unknown> = {
    name: packed[0] ?? null,
    path: packed[1] ?? null,
    stored: packed[2] ?? null,
    offset: packed[3] ?? null,
    length: packed[4] ?? null,
    fileLength: packed[5] ?? null,
    compression: packed[6] ?? null,
    unpackedOffset: packed[7] ?? null,
    split: packed[8] ?? null,
    at: packed[9] ?? null,
    unpackedLength: packed[10] ?? null,
    version: packed[11] ?? null,
  };
  return piece as unknown as SplitPiece;
}
