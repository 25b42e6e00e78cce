import type { Coverage } from '../../core/contracts/coverage.js';
import { type JobSpec, type TaskId, taskName } from '../../core/contracts/job.js';
import { readsOf } from '../../core/contracts/step.js';
import { CoverageSum } from '../../core/coverage.js';

// What simulated tasks write: a text that names every task it was made from, so that the results tell whether anything was lost, doubled
// or mixed. `map-0`, a reduce of two maps `reduce-0(map-0,map-1)`; in jobs that may vary each map says its attempt: `map-0@…`.

export const RECORDS_A_SPLIT = 10;
const BYTES_A_SPLIT = 100;

/** What splits `from … to − 1` of the input cover. */
export function coverageOf(from: number, to: number): Coverage {
  const sum = new CoverageSum();
  sum.addRun('input', from * BYTES_A_SPLIT, to * BYTES_A_SPLIT);
  return sum.total;
}

/** @param inputs what it read, in the order of readsOf() */
export function taskContent(spec: JobSpec, task: TaskId, attempt: string, inputs: readonly string[]): string {
  const own = spec.deterministic || task.stage !== 'map' ? taskName(task) : `${taskName(task)}@${attempt}`;
  return inputs.length === 0 ? own : `${own}(${inputs.join()})`;
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
