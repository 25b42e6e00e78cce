import { rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { attemptPrefix, SEGMENTS } from '../../core/contracts/job.js';
import type { MapTotals, StageRunner } from '../../core/contracts/stage.js';
import type { BlobStore } from '../../core/contracts/stores.js';
import type { TaskInput } from '../../core/contracts/task.js';
import { failpoint } from '../../core/failpoint.js';
import { segmentPath } from './attempt-data.js';
import type { MeteredInput } from './input/map-input.js';
import { openRecords } from './input/open-records.js';
import { stagingPath } from './output/local-file.js';
import { NO_FILES, nowhere } from './output/nowhere.js';
import { ShuffleSink } from './output/shuffle-sink.js';
import { heldHere, StepOutput } from './output/step-output.js';
import type { AttemptFiles } from './output/task-files.js';
import { findKillersApart } from './skip/apart.js';
import { describeKillers, findKillers, mustProbe, mustSkip, quarantineName, type Trial, without } from './skip/skipping.js';
import { AttemptContext } from './task-context.js';
import { readGenerations, type StageResult } from './task-result.js';

/** Maps one split, or what a task of an earlier step holds, into a segment file; into an output of the step when it has no reducers. */
export async function runMap(
  input: TaskInput,
  runner: StageRunner,
  store: BlobStore,
  context: AttemptContext,
  files: AttemptFiles,
): Promise<StageResult> {
  const step = input.spec.steps[input.assignment.task.step]!;
  const opened = openRecords(input, store, context);
  const all = opened instanceof Promise ? await opened : opened;
  const { records, skipped } = mustSkip(input)
    ? await recordsLeft(all, input, runner, store, context, files)
    : { records: all, skipped: 0 };
  return step.reducers === 0
    ? mapToOutput(input, records, skipped, runner, store, context, files)
    : mapToSegments(input, records, skipped, runner, store, context, files);
}

/** The records of the input without those that kill: the task has died of some. */
async function recordsLeft(
  records: MeteredInput,
  input: TaskInput,
  runner: StageRunner,
  store: BlobStore,
  context: AttemptContext,
  files: AttemptFiles,
): Promise<{ readonly records: MeteredInput; readonly skipped: number }> {
  const { spec, assignment } = input;
  const step = spec.steps[assignment.task.step]!;
  const unseen = new AttemptContext(input, NO_FILES, context.givenRecords);
  const cuts = step.cuts === null ? null : await context.givenRecords.bytes(step.cuts);
  const combines = step.reducers > 0 && runner.combine !== undefined;
  const quarantine = mustProbe(input)
    ? await describeKillers(records, await findKillersApart(input, context.scratchDir, spec.taskTimeoutMs, spec.maxSkipped))
    : await findKillers(records, runner, unseen, () => (combines ? combined() : mappedOnly()), spec.maxSkipped);
  function mappedOnly(): Trial {
    return { sink: nowhere(cuts !== null), times: 1, finish() {}, discard() {} };
  }
  // What a record does to the combiner kills its task too.
  function combined(): Trial {
    const path = join(context.scratchDir, 'trial');
    const sink = new ShuffleSink(path, step, runner, cuts, unseen);
    return {
      sink,
      times: 2,
      finish: () => void sink.finish(),
      discard() {
        sink.discard();
        rmSync(path, { force: true });
      },
    };
  }
  const skipped = quarantine.records.size;
  if (skipped > 0) await files.put(quarantineName(input), quarantine.listing);
  return { records: without(await openRecords(input, store, context), quarantine.records), skipped };
}

async function mapToOutput(
  input: TaskInput,
  records: MeteredInput,
  skipped: number,
  runner: StageRunner,
  store: BlobStore,
  context: AttemptContext,
  files: AttemptFiles,
): Promise<StageResult> {
  const output = new StepOutput(input, store, () => context.scratchDir);
  try {
    const totals = await runner.map(records, output.writer, context);
    failpoint('task.map-done');
    const { outputs, held, records: recordsOut } = await output.finish(context.late.emitted);
    return result(input, records, totals, { held, outputs: [...outputs, ...files.list()], recordsOut, skipped });
  } catch (error) {
    output.discard(context.late.emitted);
    throw error;
  }
}

async function mapToSegments(
  input: TaskInput,
  records: MeteredInput,
  skipped: number,
  runner: StageRunner,
  store: BlobStore,
  context: AttemptContext,
  files: AttemptFiles,
): Promise<StageResult> {
  const { spec, assignment, dataDir } = input;
  const { task, attempt } = assignment;
  const step = spec.steps[task.step]!;
  const key = spec.intermediate === 'blob' ? attemptPrefix(spec.id, task, attempt) + SEGMENTS : null;
  const local = key === null ? null : store.localPath(key);
  const path = local === null ? segmentPath(dataDir, attempt) : stagingPath(local, '', SEGMENTS);
  if (local !== null) await mkdir(dirname(path), { recursive: true });
  const cuts = step.cuts === null ? null : await context.givenRecords.bytes(step.cuts);
  const sink = new ShuffleSink(
    path,
    step,
    runner,
    cuts,
    new AttemptContext(input, files, context.givenRecords, 'combine', context),
  );
  try {
    const totals = await runner.map(records, sink, context);
    failpoint('task.map-done');
    const { bytes, emitted, digest } = sink.finish(context.late.emitted);
    if (key !== null) await store.putFile(key, path);
    const here = heldHere(input, path, bytes, null, digest);
    const held = key === null ? here : { ...here, copies: [], key };
    return result(input, records, totals, { held, outputs: files.list(), recordsOut: emitted, skipped });
  } catch (error) {
    sink.discard(context.late.emitted);
    throw error;
  }
}

function result(
  input: TaskInput,
  { intake }: MeteredInput,
  { recordsIn }: MapTotals,
  { held, outputs, recordsOut, skipped }: Pick<StageResult, 'held' | 'outputs' | 'recordsOut' | 'skipped'>,
): StageResult {
  const readsJobInput = input.spec.steps[input.assignment.task.step]!.from.length === 0;
  const reads = readGenerations(input);
  return { held, outputs, recordsIn, skipped, intake: readsJobInput ? intake() : null, recordsOut, reads };
}
