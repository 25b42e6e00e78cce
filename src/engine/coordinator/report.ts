import type { JobSpec, JobStatus } from '../../core/contracts/job.js';
import { taskName } from '../../core/contracts/job.js';
import type { StoredTask } from '../../core/contracts/stores.js';

/** A process that had to do with a job, and the largest anonymous + shared memory it was seen with. */
export interface ProcessPeak {
  readonly role: 'coordinator' | 'worker';
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  readonly peakBytes: number;
}

/** Peaks as heartbeats told them, raised by what attempts measured: a short attempt falls between two heartbeats. */
export function withUsage(processes: readonly ProcessPeak[], tasks: readonly StoredTask[]): ProcessPeak[] {
  const peaks = new Map<string, number>();
  for (const { commit } of tasks) {
    if (commit === null) continue;
    const { worker, processPeakBytes } = commit.usage;
    peaks.set(worker, Math.max(peaks.get(worker) ?? 0, processPeakBytes));
  }
  return processes.map((each) => ({ ...each, peakBytes: Math.max(each.peakBytes, peaks.get(each.name) ?? 0) }));
}

/**
 * report.json: what running the job was like. Its bytes differ from run to run, which is why the manifest does not check it. Written
 * task by task, so that a large job needs no large string.
 */
export async function* reportJson(
  spec: JobSpec,
  status: JobStatus,
  processes: readonly ProcessPeak[],
  tasks: readonly StoredTask[],
): AsyncIterable<Uint8Array> {
  const head = {
    job: spec.name,
    id: spec.id,
    isa: spec.isa,
    elapsedMs: Math.round(status.elapsedMs),
    workers: status.workers,
    failedAttempts: status.failedAttempts,
    memory: spec.memory,
    peakBytes: Math.max(0, ...processes.map(({ peakBytes }) => peakBytes)),
    processes,
  };
  yield Buffer.from(`${JSON.stringify(head, null, 2).slice(0, -2)},\n  "tasks": [`);
  let first = true;
  for (const { task, generation, failures, failedOn, commit } of tasks) {
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
    };
    yield Buffer.from(`${first ? '' : ','}\n    ${JSON.stringify(line)}`);
    first = false;
  }
  yield Buffer.from(`${first ? '' : '\n  '}]\n}\n`);
}
