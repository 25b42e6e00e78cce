import { RecordBatch } from '../../../core/addon/records.js';
import type { TaskFiles } from '../../../core/contracts/context.js';
import type { RecordSink } from '../../../core/contracts/stage.js';

/** Takes files and forgets them: for code that is run only to see whether it dies. */
export const NO_FILES: TaskFiles = { async put() {}, async putFile() {} };

/** Takes records and forgets them, but refuses those that no sink takes. @param ordered true: as a totally ordered step's sink, which is told places */
export function nowhere(ordered: boolean): RecordSink {
  const batch = new RecordBatch(64 << 10, () => {});
  return { emit: (key, value) => batch.add(key, value), batch() {}, place: ordered ? { split: 0, at: 0 } : null };
}
