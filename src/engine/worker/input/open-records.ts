import type { Split } from '../../../core/contracts/job.js';
import { readsOf } from '../../../core/contracts/step.js';
import type { BlobStore } from '../../../core/contracts/stores.js';
import type { TaskInput } from '../../../core/contracts/task.js';
import type { AttemptContext } from '../task-context.js';
import { heldPiece, openHeld } from './held-source.js';
import { type MeteredInput, openMapInput } from './map-input.js';
import { openSource } from './source.js';
import { readSplit } from './splits.js';

/** All records that a map task is to map: of its split, or of what a task of an earlier step left. No promise where none is needed. */
export function openRecords(input: TaskInput, store: BlobStore, context: AttemptContext): MeteredInput | Promise<MeteredInput> {
  const { spec, assignment, inputs } = input;
  const { step: at, index } = assignment.task;
  const step = spec.steps[at]!;
  if (step.from.length === 0) {
    const opened = (split: Split): MeteredInput => openMapInput(split, step, context, (piece) => openSource(piece, store));
    const split = readSplit(store, spec.id, step.firstSplit + index);
    return split instanceof Promise ? split.then(opened) : opened(split);
  }
  const [range] = readsOf(spec, assignment.task);
  const held = inputs[0]![0]!;
  const split = { index, pieces: [heldPiece(range!, held, index)] };
  return openMapInput(split, step, context, (piece) => openHeld(range!, held, piece, store));
}
