import { DafError, toWire } from '../../core/contracts/errors.js';
import { workerMemoryFor } from '../../core/memory-plan.js';
import { formatBytes } from '../../core/options/index.js';
import type { Books } from './books.js';
import type { JobState } from './job-state.js';
import type { Worker } from './scheduler.js';
import type { TaskTable } from './task-table.js';

/** So long there has to be no room before it is said: workers come one after the other, and are replaced. */
const PATIENCE_MS = 1000;

/** Says so when tasks of a running job fit into no worker, those of later stages too, and when they do again. Nothing fails of it: a larger worker may come. */
export function lookForRoom(job: JobState, { scheduler: { roomiest }, workers, out }: Books, now: number): void {
  if (job.phase !== 'running' || job.closing) return;
  const room = roomiest?.roomBytes ?? -1;
  const largest = largestTasks(job);
  if (largest === null || largest.needBytes <= room) {
    job.roomlessSince = null;
    if (job.waiting === null) return;
    job.waiting = null;
  } else {
    job.roomlessSince ??= now;
    if (now - job.roomlessSince < PATIENCE_MS) return;
    const error = noRoom(job, largest, roomiest, workers.size);
    if (job.waiting?.message === error.message) return;
    job.waiting = toWire(error);
  }
  job.changed = true;
  out.push({ kind: 'waiting', job: job.spec.id, error: job.waiting });
}

function largestTasks(job: JobState): TaskTable | null {
  let largest: TaskTable | null = null;
  for (const table of job.graph.tables) {
    if (!table.complete && table.needBytes > (largest?.needBytes ?? -1)) largest = table;
  }
  return largest;
}

function noRoom({ spec }: JobState, { step, stage, needBytes }: TaskTable, roomiest: Worker | null, workers: number): DafError {
  const least = formatBytes(workerMemoryFor(needBytes, 1));
  const retryable = true;
  if (roomiest === null) {
    return new DafError('ERR_DAF_NO_ROOM', 'there is no worker', { hint: `start one: daf worker --memory ${least}`, retryable });
  }
  const of = spec.steps.length > 1 ? ` of step ${spec.steps[step]!.name}` : '';
  const { roomBytes, budgetBytes, threads } = roomiest;
  const has = `${formatBytes(roomBytes)} for tasks (${formatBytes(budgetBytes)} in all, ${threads} ${threads === 1 ? 'thread' : 'threads'})`;
  const who = workers === 1 ? 'the only worker has' : `the largest of ${workers} workers has`;
  return new DafError('ERR_DAF_NO_ROOM', `a ${stage} task${of} needs ${formatBytes(needBytes)}; ${who} ${has}`, {
    hint: `add a worker of at least ${least} (--memory), or lower memory.task or memory.sortBuffer of the job`,
    retryable,
  });
}
