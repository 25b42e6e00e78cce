import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { addon } from '../../../core/addon/index.js';
import { DafError } from '../../../core/contracts/errors.js';
import { type JobSpec, taskName } from '../../../core/contracts/job.js';
import { reservedBytes } from '../../../core/contracts/step.js';
import { workerMemoryFor } from '../../../core/memory-plan.js';
import { temporaryFolder } from '../../../core/temporary.js';
import { TaskPool } from '../pool.js';
import { findTask, openBundle, stageBundle } from './bundle.js';
import { compareRuns, compareWithCommitted, type Difference } from './compare.js';
import { Runs } from './runs.js';

export interface ReplayReport {
  readonly job: string;
  /** The committed attempt that was run again. */
  readonly attempt: string;
  readonly task: string;
  readonly isa: string;
  /** Tasks that ran: the one asked for, and what it reads. */
  readonly ran: number;
  /** Of the first task that gave something else, the one asked for being the last. Empty: all bytes are equal. */
  readonly differences: readonly Difference[];
  /** The task with differences. */
  readonly differs: string | null;
  /** Where two runs of that task on this machine differ from each other; null when they do not. */
  readonly unsteady: string | null;
}

/**
 * Runs a committed attempt again, here and now, from what its job keeps beside its results: same split, code, params and instruction set;
 * whatever it reads of other tasks is made again as well. Nothing is written to the results.
 * @param url of the job's output store
 * @param name of the attempt, or of its task
 * @throws DafError ERR_DAF_NOT_FOUND without such an attempt, or when an input is gone; ERR_DAF_BAD_DATA when an input has another
 * length or the code has changed; ERR_DAF_UNSUPPORTED without the job's instruction set; ERR_DAF_TASK_FAILED when it fails this time
 */
export async function replayAttempt(
  url: string,
  name: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<ReplayReport> {
  const bundle = await openBundle(url);
  const { task, report } = findTask(bundle, name);
  forceIsa(bundle.spec);
  const folder = temporaryFolder('replay');
  const pool = new TaskPool(workerMemoryFor(largestTask(bundle.spec), 1), 1, () => {});
  try {
    const runs = new Runs(bundle, pool, signal);
    await runs.run(task, await stageBundle(bundle, join(folder, 'first')));
    const told = {
      job: bundle.spec.id,
      attempt: report.attempt,
      task: taskName(task),
      isa: bundle.spec.isa,
      ran: runs.all.length,
    };
    for (const run of runs.all) {
      const differences = await compareWithCommitted(run, bundle);
      if (differences.length === 0) continue;
      const again = await runs.runAgain(run.task, await stageBundle(bundle, join(folder, 'second')));
      return { ...told, differences, differs: taskName(run.task), unsteady: await compareRuns(run, again) };
    }
    return { ...told, differences: [], differs: null, unsteady: null };
  } finally {
    await pool.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The choice is made once in a process, when the addon is first asked. */
function forceIsa({ id, isa }: JobSpec): void {
  process.env['DAF_FORCE_ISA'] ??= isa;
  const used = addon().cpuInfo().isa;
  if (used === isa) return;
  throw new DafError('ERR_DAF_UNSUPPORTED', `job ${id} ran with ${isa}, this process uses ${used}`, {
    hint: `start with DAF_FORCE_ISA=${isa}, on a machine that has it (\`daf doctor\`)`,
  });
}

function largestTask(spec: JobSpec): number {
  const stages = ['map', 'reduce'] as const;
  return Math.max(...spec.steps.flatMap((_, step) => stages.map((stage) => reservedBytes(spec, { step, stage }))));
}
