import { addon } from '../../core/addon/index.js';
import { DafError, toWire } from '../../core/contracts/errors.js';
import type { StageRunner } from '../../core/contracts/stage.js';
import type { BlobStore } from '../../core/contracts/stores.js';
import type { Outcome, TaskInput } from '../../core/contracts/task.js';
import { failpoint } from '../../core/failpoint.js';
import { openBlobStore } from '../stores/open-blob.js';
import { setBegun } from './control-words.js';
import { type Crossing, packResults, type Returning, unpackInputs } from './crossing.js';
import { runFinalize } from './finalize-task.js';
import { GivenRecords } from './input/given.js';
import { LostInputs } from './lost-inputs.js';
import { runMap } from './map-task.js';
import { AttemptFiles } from './output/task-files.js';
import { runReduce } from './reduce-task.js';
import { RunnerCache } from './runner-cache.js';
import { strays } from './strays.js';
import { AttemptContext } from './task-context.js';
import type { StageResult, TaskResult } from './task-result.js';

// Code loaded here may be another copy of the package: the mark is on the global object, see jobs/define.ts.
(globalThis as Record<symbol, unknown>)[Symbol.for('daf.in-worker')] = true;

strays.watch();

const runners = new RunnerCache(3);

/** Entry of a piscina thread: runs attempts one after the other. Never rejects: errors would lose their class and code on the way. */
export default async function runTasks(crossing: Crossing): Promise<Returning> {
  const results: TaskResult[] = [];
  addon().resetMemoryPeak();
  for (const input of unpackInputs(crossing)) results.push(await runTask(input));
  return packResults(results);
}

async function runTask(input: TaskInput): Promise<TaskResult> {
  const started = performance.now();
  setBegun(input.control);
  strays.begin(input.spec.id);
  let outcome: Outcome;
  try {
    outcome = await attempt(input);
  } catch (error) {
    const lost = error instanceof LostInputs ? error : null;
    outcome = { kind: 'failed', error: toWire(lost?.error ?? DafError.from(error)), lost: lost?.lost ?? [] };
  }
  strays.ended();
  return { outcome, milliseconds: performance.now() - started, nativePeakBytes: addon().resetMemoryPeak() };
}

async function attempt(input: TaskInput): Promise<Outcome> {
  failpoint('task.start');
  const { spec, assignment } = input;
  const found = runners.get(input);
  const runner = found instanceof Promise ? await found : found;
  const store = storeOf(spec.output);
  const late = strays.lateOf(input);
  const files = new AttemptFiles(spec, store, assignment.task, assignment.attempt, late);
  const context = new AttemptContext(input, files, new GivenRecords(input, store), assignment.task.stage, undefined, late);
  let failed = true;
  try {
    context.checkCancelled();
    const result = await runStage(input, runner, store, context, files);
    const outcome = { kind: 'done', ...result, counters: context.sums(), refused: context.refused } as const;
    failed = false;
    return outcome;
  } finally {
    context.end(failed);
    context.dispose();
  }
}

let last: BlobStore | null = null;
let lastUrl = '';

/** The store of the job before serves again: a thread runs many tasks of a job in a row. */
function storeOf(url: string): BlobStore {
  if (last === null || url !== lastUrl) last = openBlobStore(url);
  lastUrl = url;
  return last;
}

function runStage(
  input: TaskInput,
  runner: StageRunner,
  store: BlobStore,
  context: AttemptContext,
  files: AttemptFiles,
): Promise<StageResult> {
  switch (input.assignment.task.stage) {
    case 'map':
      return runMap(input, runner, store, context, files);
    case 'reduce':
      return runReduce(input, runner, store, context, files);
    case 'finalize':
      return runFinalize(input, runner, store, context, files);
  }
}
