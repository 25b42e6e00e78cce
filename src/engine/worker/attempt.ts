import { toWire } from '../../core/contracts/errors.js';
import type { TaskInput } from '../../core/contracts/task.js';
import { LostInputs } from './lost-inputs.js';
import type { Preparing } from './preparation.js';
import type { TaskResult } from './task-result.js';

export interface Attempt extends Preparing {
  readonly key: string;
  /** What it has in common with those that take about as long. */
  readonly kind: string;
  /** Ends the thread of the batch in which it runs; null before. */
  abort: AbortController | null;
  input: TaskInput | null;
  state: 'preparing' | 'ready' | 'running';
  revoked: boolean;
  peak: number;
  /** How often its thread was taken down before its turn came. */
  displaced: number;
}

export const attemptKey = (attempt: { readonly job: string; readonly attempt: string }): string =>
  `${attempt.job}/${attempt.attempt}`;

/** What is told of an attempt that did not get to run, or not to its end. */
export function failed(error: unknown): TaskResult {
  const lost = error instanceof LostInputs ? error : null;
  const outcome = { kind: 'failed', error: toWire(lost?.error ?? error), lost: lost?.lost ?? [] } as const;
  return { outcome, milliseconds: 0, nativePeakBytes: 0 };
}

/** 0 … 1. */
export function progressOf(control: Int32Array): number {
  const total = Atomics.load(control, 2);
  return total <= 0 ? 0 : Math.min(1, Math.max(0, Atomics.load(control, 1) / total));
}
