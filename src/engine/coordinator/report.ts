import { isPlain } from '../../core/compact.js';
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
 * Lines of tasks, JSON. Put together by hand, since there are many of them, and of as few pieces as can be: nothing else happens meanwhile. Of
 * the texts in them all but the worker's name and what failed are letters, digits, dots and dashes.
 */
class Lines {
  readonly #lastOf = new Map<string, Middle>();

  of({ task, generation, failures, failedOn }: StoredTask, { attempt, outcome, usage }: Commit): string {
    const { milliseconds, reservedBytes, nativePeakBytes, processPeakBytes } = usage;
    const smooth = failures.length === 0 && failedOn.length === 0;
    let middle = smooth ? this.#lastOf.get(usage.worker) : undefined;
    const { recordsIn, recordsOut } = outcome;
    if (middle?.generation !== generation || middle.recordsIn !== recordsIn || middle.recordsOut !== recordsOut) {
      const text =
        `","generation":${generation},"failures":${failures.length},"failedOn":${JSON.stringify(failedOn)},` +
        `"recordsIn":${recordsIn},"recordsOut":${recordsOut},"worker":${JSON.stringify(usage.worker)},"milliseconds":`;
      middle = { generation, recordsIn, recordsOut, text };
      if (smooth) this.#lastOf.set(usage.worker, middle);
    }
    const more = isPlain(outcome) && outcome.skipped === 0 ? '{}' : JSON.stringify(committed(outcome));
    const end = more === '{}' ? '}' : `,${more.slice(1)}`;
    return (
      `{"task":"${taskName(task)}","attempt":"${attempt}${middle.text}${milliseconds},"reservedBytes":${reservedBytes},` +
      `"nativePeakBytes":${nativePeakBytes},"processPeakBytes":${processPeakBytes}${end}`
    );
  }
}

/** What lines of one worker mostly have in common, as text. */
interface Middle {
  readonly generation: number;
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly text: string;
}

/**
 * report.json: what running the job was like. Its bytes differ from run to run, which is why the manifest does not check it. Written
 * page by page, so that a large job needs no large string.
 */
export async function* reportJson(
  spec: JobSpec,
  status: JobStatus,
  processes: readonly ProcessPeak[],
  pages: AsyncIterable<readonly StoredTask[]>,
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
  const lines = new Lines();
  let first = true;
  const peaks = new Map<string, number>();
  for await (const page of pages) {
    for (const task of page) {
      const { commit } = task;
      if (commit === null) continue;
      text += (first ? '\n    ' : ',\n    ') + lines.of(task, commit);
      first = false;
      const { worker, processPeakBytes } = commit.usage;
      if (processPeakBytes > (peaks.get(worker) ?? 0)) peaks.set(worker, processPeakBytes);
    }
    if (text.length < CHUNK) continue;
    yield Buffer.from(text);
    text = '';
  }
  // A short attempt falls between two heartbeats; what it measured counts too.
  const raised = processes.map((each) => ({ ...each, peakBytes: Math.max(each.peakBytes, peaks.get(each.name) ?? 0) }));
  const tail = { peakBytes: Math.max(0, ...raised.map(({ peakBytes }) => peakBytes)), processes: raised };
  yield Buffer.from(`${text}${first ? '' : '\n  '}],${JSON.stringify(tail, null, 2).slice(1)}\n`);
}
