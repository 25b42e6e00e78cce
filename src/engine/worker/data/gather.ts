import { existsSync } from 'node:fs';
import { DafError } from '../../../core/contracts/errors.js';
import type { JobSpec } from '../../../core/contracts/job.js';
import type { Member } from '../../../core/contracts/messages.js';
import { readsOf, type TaskRange } from '../../../core/contracts/step.js';
import type { Assignment, HeldOutput, TaskSource } from '../../../core/contracts/task.js';
import { FETCHES } from '../../../core/memory-plan.js';
import { fetchedPath } from '../attempt-data.js';
import { isLoss, LostInputs } from '../lost-inputs.js';
import { fetchCopy, saysGone } from './fetch-copy.js';
import { FetchedFile } from './fetched-file.js';
import type { Fetcher } from './fetcher.js';
import { storedSegment } from './stored-segment.js';

export interface GatherTarget {
  readonly spec: JobSpec;
  readonly assignment: Assignment;
  readonly dataDir: string;
  readonly host: string;
  isCancelled(): boolean;
  /** Waits until what its fetches take in memory is reserved; what it gives ends that. */
  reserve(): Promise<() => void>;
  /** All workers: through them goes what cannot be reached from here. */
  members(): Promise<readonly Member[]>;
  /** Told that a worker no longer has what an attempt left there, although it answers. */
  copyLost(attempt: string, holder: string): void;
}

/**
 * Makes what a task reads readable for its thread: files of this host as they are, what other hosts hold fetched into one file of the
 * attempt, copy after copy until one is good, and through other workers where none can be reached.
 * @param inputs what the tasks of each of readsOf() hold
 * @throws LostInputs naming all outputs of which no copy can be had
 */
export async function gatherInputs(
  inputs: readonly (readonly HeldOutput[])[],
  target: GatherTarget,
  fetcher: Fetcher,
): Promise<TaskSource[][]> {
  const ranges = readsOf(target.spec, target.assignment.task);
  const fetched = new FetchedFile(fetchedPath(target.dataDir, target.assignment.attempt), () => target.reserve());
  try {
    const all: TaskSource[][] = [];
    for (const [i, outputs] of inputs.entries()) all.push(await gatherRange(ranges[i]!, outputs, target, fetcher, fetched));
    // Parts know how long their file is once everything is in it.
    return all.map((sources) => sources.map((source) => fetched.complete(source)));
  } finally {
    await fetched.close();
  }
}

async function gatherRange(
  range: TaskRange,
  outputs: readonly HeldOutput[],
  target: GatherTarget,
  fetcher: Fetcher,
  fetched: FetchedFile,
): Promise<TaskSource[]> {
  const sources: TaskSource[] = [];
  const lost: HeldOutput[] = [];
  let cause: DafError | undefined;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < outputs.length) {
      const at = next++;
      const output = outputs[at]!;
      try {
        sources[at] = await gatherOne(range, output, target, fetcher, fetched);
      } catch (error) {
        cause = DafError.from(error, 'ERR_DAF_IO');
        // A store that cannot be reached has lost nothing: what it holds would not be made again any better.
        if (!isLoss(cause) || (output.key !== null && !saysGone(cause))) throw cause;
        lost.push(output);
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(FETCHES, outputs.length) }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  if (lost.length > 0) throw LostInputs.of(range, lost, cause);
  return sources;
}

async function gatherOne(
  range: TaskRange,
  output: HeldOutput,
  target: GatherTarget,
  fetcher: Fetcher,
  fetched: FetchedFile,
): Promise<TaskSource> {
  const { index, generation, crc32c, bytes, key, copies } = output;
  const source = { index, generation, crc32c };
  const task = target.assignment.task;
  const kind = range.step === task.step && range.stage === 'map' ? 'seg' : 'rec';
  if (key !== null) {
    if (kind === 'rec') return { ...source, place: { kind: 'store', key, bytes } };
    return { ...source, place: await storedSegment({ key, bytes }, target, fetched) };
  }
  const here = copies.filter(({ host }) => host === target.host);
  const local = here.find(({ path }) => copies.length === 1 || existsSync(path));
  for (const each of here) if (local === undefined) target.copyLost(output.attempt, each.worker);
  if (local !== undefined) return { ...source, place: { kind: 'file', path: local.path, bytes } };
  const wanted = { job: target.spec.id, attempt: output.attempt, kind, partition: kind === 'seg' ? task.index : 0 } as const;
  return { ...source, place: await fetchCopy(copies, wanted, crc32c, target, fetcher, fetched) };
}
