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

/** True for errors of reading that another copy of the bytes would not have; memory and cancel are this attempt's own. */
export function isLoss(error: DafError): boolean {
  return error.code !== 'ERR_DAF_MEMORY_LIMIT' && error.code !== 'ERR_DAF_CANCELLED';
}
