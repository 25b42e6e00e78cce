import type { Coverage } from '../../core/contracts/coverage.js';
import { type JobSpec, type TaskId, taskName } from '../../core/contracts/job.js';
import { readsOf } from '../../core/contracts/step.js';
import { CoverageSum } from '../../core/coverage.js';

// What simulated tasks write: a text that names every task it was made from and how many records of the input, so that the results tell
// whether anything was lost, doubled or mixed. A map of a split `map-0*10`, a reduce of two `reduce-0(map-0*10,map-1*10)`; in jobs that may
// vary each map says its attempt: `map-0@…*10`. A combiner may leave a split's records in several pieces, `map-0*4,map-0*6`: reduces sum them.

export const RECORDS_A_SPLIT = 10;
const BYTES_A_SPLIT = 100;

/** How many records of a split kill the task that maps them: the parameter `bad` says it, `2:1,5:3`. */
export function badRecords({ params }: JobSpec, split: number): number {
  for (const each of (params['bad'] ?? '').split(',')) if (each.startsWith(`${split}:`)) return Number(each.split(':')[1]);
  return 0;
}

/** Records that a job that is done has gone on without, in a step that reads the input. */
export function badRecordsOf(spec: JobSpec, step: number): number {
  let sum = 0;
  for (let split = 0; split < spec.steps[step]!.splits; split++) sum += badRecords(spec, split);
  return sum;
}

export function readsInput(spec: JobSpec, { step, stage }: TaskId): boolean {
  return stage === 'map' && spec.steps[step]!.from.length === 0;
}

/** What splits `from … to − 1` of the input cover. */
export function coverageOf(from: number, to: number): Coverage {
  const sum = new CoverageSum();
  sum.addRun('input', from * BYTES_A_SPLIT, to * BYTES_A_SPLIT);
  return sum.total;
}

/** @param inputs what it read, in the order of readsOf() */
export function taskContent(spec: JobSpec, task: TaskId, attempt: string, inputs: readonly string[]): string {
  const named = spec.deterministic || task.stage !== 'map' ? taskName(task) : `${taskName(task)}@${attempt}`;
  const own = readsInput(spec, task) ? `${named}*${RECORDS_A_SPLIT - badRecords(spec, task.index)}` : named;
  return inputs.length === 0 ? own : `${own}(${inputs.map(summed).join()})`;
}

/** The content of a map whose records were spilled in two pieces that nobody has combined. */
export function inPieces(content: string, first: number): string {
  const [, name, records] = PIECE.exec(content) ?? [];
  if (name === undefined || Number(records) <= first) return content;
  return `${name}*${first},${name}*${Number(records) - first}`;
}

const PIECE = /^([A-Za-z0-9.@-]+)\*(\d+)$/;

/** Pieces of the same split that follow each other, as one. */
function summed(content: string): string {
  const pieces = content.split(',').map((each) => PIECE.exec(each));
  if (pieces.length < 2 || pieces.some((each) => each === null || each[1] !== pieces[0]![1])) return content;
  return `${pieces[0]![1]}*${pieces.reduce((sum, each) => sum + Number(each![2]), 0)}`;
}

/** What a task writes when nothing goes wrong, without attempts. */
export function expectedContent(spec: JobSpec, task: TaskId): string {
  const inputs = readsOf(spec, task).flatMap(({ step, stage, from, count }) =>
    Array.from({ length: count }, (_, i) => expectedContent(spec, { step, stage, index: from + i })),
  );
  return taskContent({ ...spec, deterministic: true }, task, '', inputs);
}

const ATTEMPT = /([a-z0-9-]+)@([A-Za-z0-9.-]+)/g;

export function stripAttempts(content: string): string {
  return content.replace(ATTEMPT, '$1');
}

/** Every [task, attempt] that a content names. */
export function attemptsIn(content: string): [string, string][] {
  return [...content.matchAll(ATTEMPT)].map(([, task, attempt]) => [task!, attempt!]);
}
