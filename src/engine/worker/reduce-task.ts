import { join } from 'node:path';
import { addon, type MergeReader } from '../../core/addon/index.js';
import { GROUP_BUFFER_BYTES, readGroups } from '../../core/addon/records.js';
import { DafError } from '../../core/contracts/errors.js';
import { partName } from '../../core/contracts/job.js';
import type { GroupStream, StageRunner } from '../../core/contracts/stage.js';
import type { BlobStore } from '../../core/contracts/stores.js';
import type { LostMap, MapOutput, TaskInput } from '../../core/contracts/task.js';
import { failpoint } from '../../core/failpoint.js';
import { PartWriter } from './output/part-writer.js';
import type { AttemptFiles } from './output/task-files.js';
import type { AttemptContext } from './task-context.js';
import type { StageResult } from './task-result.js';

const FAN_IN = 32;

/** A reduce that could not read the output of some maps: they have to run again. */
export class LostSegments extends Error {
  readonly error: DafError;
  readonly lost: readonly LostMap[];

  constructor(error: DafError, lost: readonly LostMap[]) {
    super(error.message);
    this.error = error;
    this.lost = lost;
  }
}

/** Merges one partition of all map outputs and reduces it into a part file. */
export async function runReduce(
  input: TaskInput,
  runner: StageRunner,
  store: BlobStore,
  context: AttemptContext,
  files: AttemptFiles,
): Promise<StageResult> {
  const { spec, assignment } = input;
  const { index } = assignment.task;
  const maps = input.mapOutputs ?? [];
  checkComplete(maps, input);
  const reader = new (addon().MergeReader)({
    sources: maps.map(({ path }) => ({ path, partition: index })),
    temp: join(input.dataDir, `${assignment.attempt}.merge`),
    fanIn: FAN_IN,
    groupPrefix: 0,
    control: input.control,
  });
  let part: PartWriter | null = null;
  try {
    reading(reader, maps, () => reader.open());
    part = new PartWriter(spec, store, assignment.task, assignment.attempt, partName(index), context.scratchDir);
    await runner.reduce?.(groupStream(reader, maps, context), part, context);
    const recordsIn = reader.records;
    failpoint('task.reduce-done');
    const output = await part.finish();
    return {
      mapOutput: null,
      outputs: [output, ...files.list()],
      recordsIn,
      recordsOut: part.records,
      readGenerations: runLengths(maps.map((map) => map.generation)),
    };
  } catch (error) {
    part?.discard();
    throw error;
  } finally {
    reader.dispose();
  }
}

/** Reducing what happens to be there would under-count: the list has to name every map once, in order. */
function checkComplete(maps: readonly MapOutput[], input: TaskInput): void {
  const complete = maps.length === input.spec.splits && maps.every((map, i) => map.map === i);
  if (!complete) {
    const error = new DafError('ERR_DAF_SEGMENT_LOST', `${maps.length} of ${input.spec.splits} map outputs are there`, {
      retryable: true,
    });
    throw new LostSegments(error, []);
  }
  const foreign = maps.find((map) => map.host !== input.host);
  if (foreign !== undefined) {
    throw new DafError(
      'ERR_DAF_UNSUPPORTED',
      `map ${foreign.map} lies on ${foreign.host}; fetching from other hosts is not supported yet`,
    );
  }
}

function groupStream(reader: MergeReader, maps: readonly MapOutput[], context: AttemptContext): GroupStream {
  const fill = (buffer: Uint8Array): number => {
    context.checkCancelled();
    return reading(reader, maps, () => reader.next(buffer));
  };
  const { groups } = readGroups(fill, new Uint8Array(GROUP_BUFFER_BYTES));
  return { groups, fill };
}

/** Names the map whose segment a failed read came from. */
function reading<T>(reader: MergeReader, maps: readonly MapOutput[], read: () => T): T {
  try {
    return read();
  } catch (error) {
    const map = reader.failedSource < 0 ? undefined : maps[reader.failedSource];
    if (map === undefined) throw error;
    const cause = DafError.from(error, 'ERR_DAF_IO');
    if (cause.code === 'ERR_DAF_MEMORY_LIMIT' || cause.code === 'ERR_DAF_CANCELLED') throw cause;
    const lost = new DafError(
      'ERR_DAF_SEGMENT_LOST',
      `the output of map ${map.map} (generation ${map.generation}) cannot be read`,
      {
        retryable: true,
        cause,
      },
    );
    throw new LostSegments(lost, [{ map: map.map, generation: map.generation }]);
  }
}

/** [3,3,3,4] → [[3,3],[4,1]] */
export function runLengths(values: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const value of values) {
    const last = runs[runs.length - 1];
    if (last !== undefined && last[0] === value) last[1]++;
    else runs.push([value, 1]);
  }
  return runs;
}
