import type { TaskId } from '../../core/contracts/job.js';
import type { StoredTask } from '../../core/contracts/stores.js';
import type { Commit } from '../../core/contracts/task.js';

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
