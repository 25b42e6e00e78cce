import { join } from 'node:path';
import { mapPartName } from '../../core/contracts/job.js';
import type { MapTotals, StageRunner } from '../../core/contracts/stage.js';
import type { BlobStore } from '../../core/contracts/stores.js';
import type { MapOutput, OutputFile, TaskInput } from '../../core/contracts/task.js';
import { failpoint } from '../../core/failpoint.js';
import { openMapInput } from './input/map-input.js';
import { readSplit } from './input/splits.js';
import { PartWriter } from './output/part-writer.js';
import { ShuffleSink } from './output/shuffle-sink.js';
import type { AttemptFiles } from './output/task-files.js';
import { AttemptContext } from './task-context.js';
import type { StageResult } from './task-result.js';

/** Maps one split into a segment file, or into a part file when the job has no reducers. */
export async function runMap(
  input: TaskInput,
  runner: StageRunner,
  store: BlobStore,
  context: AttemptContext,
  files: AttemptFiles,
): Promise<StageResult> {
  const { spec, assignment } = input;
  const split = await readSplit(store, spec.id, assignment.task.index);
  const records = openMapInput(split, spec, store, context);
  if (spec.reducers === 0) {
    const part = new PartWriter(spec, store, assignment.task, assignment.attempt, mapPartName(split.index), context.scratchDir);
    try {
      const totals = await runner.map(records, part, context);
      failpoint('task.map-done');
      // Thousands of tasks that only write files of their own leave no empty parts behind.
      const parts = part.isEmpty() ? [] : [await part.finish()];
      if (parts.length === 0) part.discard();
      return result(totals, null, [...parts, ...files.list()], part.records);
    } catch (error) {
      part.discard();
      throw error;
    }
  }
  const path = join(input.dataDir, `${assignment.attempt}.seg`);
  const sink = new ShuffleSink(path, spec, runner, new AttemptContext(input, files, 'combine', context));
  try {
    const totals = await runner.map(records, sink, context);
    failpoint('task.map-done');
    const { bytes, emitted } = sink.finish();
    const { generation } = assignment;
    const output = { map: split.index, generation, worker: input.worker, host: input.host, path, bytes };
    return result(totals, output, files.list(), emitted);
  } catch (error) {
    sink.discard();
    throw error;
  }
}

function result(totals: MapTotals, mapOutput: MapOutput | null, outputs: OutputFile[], recordsOut: number): StageResult {
  return { mapOutput, outputs, recordsIn: totals.recordsIn, recordsOut, readGenerations: [] };
}
