import type { JobSpec, JobStatus } from '../../core/contracts/job.js';
import { taskName } from '../../core/contracts/job.js';
import type { TaskOutcomeReport } from '../../core/contracts/report.js';
import type { StoredTask } from '../../core/contracts/stores.js';
import type { Commit } from '../../core/contracts/task.js';

const CHUNK = 1 << 16;

/** A process that had to do with a job, and the largest anonymous + shared memory it was seen with. */
export interface ProcessPeak {
  readonly role: 'coordinator' | 'worker' | 'client';
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  readonly peakBytes: number;
}

/** What a task left, by which a replay is judged; nothing of what is empty, since there are many tasks. */
function committed({ held, outputs, counters, refused, skipped, reads }: Commit['outcome']): TaskOutcomeReport {
  return {
    ...(held === null ? {} : { held: { bytes: held.bytes, digest: held.digest } }),
    ...(outputs.length === 0
      ? {}
      : { outputs: outputs.map(({ name, bytes, records, crc32c, volatile }) => ({ name, bytes, records, crc32c, volatile })) }),
    ...(Object.keys(counters).length === 0 ? {} : { counters }),
    ...(refused.length === 0 ? {} : { refused }),
    ...(skipped === 0 ? {} : { skipped }),
    ...(reads.some(({ generations }) => generations.some(([generation]) => generation > 0)) ? { reads } : {}),
  };
}

/**
 * report.json: what running the job was like. Its bytes differ from run to run, which is why the manifest does not check it. Written
 * task by task, so that a large job needs no large string.
 */
export async function* reportJson(
  spec: JobSpec,
  status: JobStatus,
  processes: readonly ProcessPeak[],
  tasks: AsyncIterable<StoredTask>,
): AsyncIterable<Uint8Array> {
  const head = {
    job: spec.name,
    id: spec.id,
    isa: spec.isa,
    elapsedMs: Math.round(status.elapsedMs),
    workers: status.workers,
    failedAttempts: status.failedAttempts,
    memory: Object.fromEntries(spec.steps.map(({ name, memory }) => [name, memory])),
  };
  let text = `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "tasks": [`;
  let first = true;
  const peaks = new Map<string, number>();
  for await (const { task, generation, failures, failedOn, commit } of tasks) {
    if (commit === null) continue;
    const line = {
      task: taskName(task),
      attempt: commit.attempt,
      generation,
      failures: failures.length,
      failedOn,
      recordsIn: commit.outcome.recordsIn,
      recordsOut: commit.outcome.recordsOut,
      ...commit.usage,
      ...committed(commit.outcome),
    };
    text += `${first ? '' : ','}\n    ${JSON.stringify(line)}`;
    first = false;
    const { worker, processPeakBytes } = commit.usage;
    peaks.set(worker, Math.max(peaks.get(worker) ?? 0, processPeakBytes));
    if (text.length < CHUNK) continue;
    yield Buffer.from(text);
    text = '';
  }
  // A short attempt falls between two heartbeats; what it measured counts too.
  const raised = processes.map((each) => ({ ...each, peakBytes: Math.max(each.peakBytes, peaks.get(each.name) ?? 0) }));
  const tail = { peakBytes: Math.max(0, ...raised.map(({ peakBytes }) => peakBytes)), processes: raised };
  yield Buffer.from(`${text}${first ? '' : '\n  '}],${JSON.stringify(tail, null, 2).slice(1)}\n`);
}
