import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { addon, type MergeReader, type MergeSource } from '../../core/addon/index.js';
import { readGroups } from '../../core/addon/records.js';
import { DafError } from '../../core/contracts/errors.js';
import type { GroupStream, StageRunner } from '../../core/contracts/stage.js';
import { readsOf, type TaskRange } from '../../core/contracts/step.js';
import type { BlobStore } from '../../core/contracts/stores.js';
import type { TaskInput, TaskSource } from '../../core/contracts/task.js';
import { failpoint } from '../../core/failpoint.js';
import { GROUP_BUFFER_BYTES, MERGE_FAN_IN } from '../../core/memory-plan.js';
import { isLoss, LostInputs } from './lost-inputs.js';
import { StepOutput } from './output/step-output.js';
import type { AttemptFiles } from './output/task-files.js';
import type { AttemptContext } from './task-context.js';
import { readGenerations, type StageResult } from './task-result.js';

/** Merges one partition of all map outputs and reduces it into an output of the step. */
export async function runReduce(
  input: TaskInput,
  runner: StageRunner,
  store: BlobStore,
  context: AttemptContext,
  files: AttemptFiles,
): Promise<StageResult> {
  const { spec, assignment, dataDir } = input;
  const { step, index } = assignment.task;
  const maps = new MapSegments(input);
  maps.check();
  const reader = new (addon().MergeReader)({
    sources: maps.outputs.map(({ place }) => mergeSource(place, index)),
    temp: join(dataDir, `${assignment.attempt}.merge`),
    fanIn: MERGE_FAN_IN,
    groupPrefix: spec.steps[step]!.groupPrefix,
    control: input.control,
  });
  let output: StepOutput | null = null;
  try {
    maps.reading(reader, () => reader.open());
    output = new StepOutput(input, store, () => context.scratchDir);
    await runner.reduce?.(groupStream(reader, maps, context), output.writer, context);
    const recordsIn = reader.records;
    failpoint('task.reduce-done');
    const { outputs, held, records: recordsOut } = await output.finish(context.late.emitted);
    return {
      held,
      outputs: [...outputs, ...files.list()],
      recordsIn,
      skipped: 0,
      intake: null,
      recordsOut,
      reads: readGenerations(input),
    };
  } catch (error) {
    output?.discard(context.late.emitted);
    throw error;
  } finally {
    reader.dispose();
  }
}

/** The segment files of all maps of a step, and which of them cannot be read. */
class MapSegments {
  readonly outputs: readonly TaskSource[];
  readonly #range: TaskRange;

  constructor(input: TaskInput) {
    this.#range = readsOf(input.spec, input.assignment.task)[0]!;
    this.outputs = input.inputs[0]!;
  }

  /** Reducing what happens to be there would under-count: the list has to name every map once, in order, and the files have to be there. */
  check(): void {
    const { count } = this.#range;
    if (this.outputs.length !== count || !this.outputs.every(({ index }, i) => index === i)) {
      const why = `${this.outputs.length} of ${count} map outputs are there`;
      throw new LostInputs(new DafError('ERR_DAF_SEGMENT_LOST', why, { retryable: true }), []);
    }
    // All that are gone at once: each would cost another attempt.
    const gone = this.outputs.filter(({ place }) => place.kind === 'file' && !existsSync(place.path));
    if (gone.length > 0) throw LostInputs.of(this.#range, gone);
  }

  /** Names the map whose segment a failed read came from. */
  reading<T>(reader: MergeReader, read: () => T): T {
    try {
      return read();
    } catch (error) {
      const map = reader.failedSource < 0 ? undefined : this.outputs[reader.failedSource];
      const cause = DafError.from(error, 'ERR_DAF_IO');
      if (map === undefined || !isLoss(cause)) throw error;
      throw LostInputs.of(this.#range, [map], cause);
    }
  }
}

/** A segment of a whole file, or fetched alone. */
function mergeSource(place: TaskSource['place'], partition: number): MergeSource {
  switch (place.kind) {
    case 'file':
      return { path: place.path, partition };
    case 'part':
      return { path: place.path, partition: null, offset: place.offset, bytes: place.bytes };
    case 'store':
      throw new DafError('ERR_DAF_INTERNAL', 'a map output lies in the output store');
  }
}

function groupStream(reader: MergeReader, maps: MapSegments, context: AttemptContext): GroupStream {
  const fill = (buffer: Uint8Array): number => {
    context.checkCancelled();
    return maps.reading(reader, () => reader.next(buffer));
  };
  return { ...readGroups(fill, new Uint8Array(GROUP_BUFFER_BYTES)), fill };
}
