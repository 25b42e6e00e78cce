import type { TaskId } from '../../core/contracts/job.js';
import type { StoredTask } from '../../core/contracts/stores.js';
import type { Commit, HeldCopy } from '../../core/contracts/task.js';

// The transitions of a stored task, shared by every StateStore that can run them itself.

/** In the order they run within a step. */
export const STAGES = ['map', 'reduce', 'finalize'] as const;

/** Task order: by step, stage, index. */
export function compareTasks(a: TaskId, b: TaskId): number {
  return a.step - b.step || STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage) || a.index - b.index;
}

export function idleTask(task: TaskId): StoredTask {
  return { task, generation: 0, failures: [], failedOn: [], commit: null };
}

/** The compare-and-set: null when the commit must be discarded. */
export function committed(before: StoredTask | undefined, commit: Commit): StoredTask | null {
  const task = before ?? idleTask(commit.task);
  if (task.commit !== null || task.generation !== commit.generation) return null;
  return { ...task, commit };
}

/** Null when the task is not at that generation, or has nothing to reopen. */
export function reopened(before: StoredTask | undefined, generation: number): StoredTask | null {
  if (before === undefined || before.generation !== generation || before.commit === null) return null;
  return { ...idleTask(before.task), generation: generation + 1 };
}

/** Null unless the commit of this attempt stands and workers hold its output. */
export function moved(
  before: StoredTask | undefined,
  generation: number,
  attempt: string,
  copies: readonly HeldCopy[],
): (StoredTask & { readonly commit: Commit }) | null {
  const commit = before?.commit ?? null;
  const held = commit?.outcome.held ?? null;
  if (before === undefined || commit === null || held === null || held.key !== null) return null;
  if (before.generation !== generation || commit.attempt !== attempt) return null;
  return { ...before, commit: { ...commit, outcome: { ...commit.outcome, held: { ...held, copies } } } };
}

/** Unchanged for another generation, a committed task, or an attempt already counted. */
export function failed(
  before: StoredTask | undefined,
  task: TaskId,
  generation: number,
  attempt: string,
  worker: string,
): StoredTask {
  const stored = before ?? idleTask(task);
  if (stored.generation !== generation || stored.commit !== null || stored.failures.includes(attempt)) return stored;
  const failedOn = stored.failedOn.includes(worker) ? stored.failedOn : [...stored.failedOn, worker];
  return { ...stored, failures: [...stored.failures, attempt], failedOn };
}
