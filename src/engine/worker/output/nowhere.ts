import type { TaskFiles } from '../../../core/contracts/context.js';
import type { RecordSink } from '../../../core/contracts/stage.js';

/** Takes files and forgets them: for code that is run only to see whether it dies. */
export const NO_FILES: TaskFiles = { async put() {}, async putFile() {} };

/** Takes records and forgets them. @param ordered true: as a totally ordered step's sink, which is told places */
export function nowhere(ordered: boolean): RecordSink {
  return { emit() {}, batch() {}, place: ordered ? { split: 0, at: 0 } : null };
}
