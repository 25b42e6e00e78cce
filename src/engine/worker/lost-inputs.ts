import { DafError } from '../../core/contracts/errors.js';
import { type TaskId, taskName } from '../../core/contracts/job.js';
import type { TaskRange } from '../../core/contracts/step.js';
import type { HeldOutput, LostOutput } from '../../core/contracts/task.js';

/** What other tasks left cannot be read: they have to run again. Not a failure of the task that found out. */
export class LostInputs extends Error {
  readonly error: DafError;
  readonly lost: readonly LostOutput[];

  constructor(error: DafError, lost: readonly LostOutput[]) {
    super(error.message);
    this.error = error;
    this.lost = lost;
  }

  /** @param cause why, if that is known */
  static of(range: TaskRange, outputs: readonly Pick<HeldOutput, 'index' | 'generation'>[], cause?: unknown): LostInputs {
    const lost = outputs.map(({ index, generation }) => {
      const task: TaskId = { step: range.step, stage: range.stage, index };
      return { task, generation };
    });
    const names = lost.slice(0, 8).map(({ task, generation }) => `${taskName(task)} (generation ${generation})`);
    const more = lost.length > names.length ? ` and ${lost.length - names.length} more` : '';
    const error = new DafError('ERR_DAF_SEGMENT_LOST', `the output of ${names.join(', ')}${more} cannot be read`, {
      retryable: true,
      cause,
    });
    return new LostInputs(error, lost);
  }
}

/** What the system says where a process or a disk has run out of something: in Node's codes, and in the words of the C library. */
const SHORTAGES = ['EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'EDQUOT'];
const SHORTAGE = /too many open files|cannot allocate memory|no space left|disk quota exceeded/i;

/** True for errors of reading that another copy of the bytes would not have; memory, shortages of this worker and cancel are the attempt's own. */
export function isLoss(error: DafError): boolean {
  if (error.code === 'ERR_DAF_MEMORY_LIMIT' || error.code === 'ERR_DAF_CANCELLED') return false;
  return !isShortage(error);
}

function isShortage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (SHORTAGES.includes(String(code)) || SHORTAGE.test(error.message)) return true;
  return isShortage(error.cause);
}
