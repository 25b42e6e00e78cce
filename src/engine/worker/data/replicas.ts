import { taskName } from '../../../core/contracts/job.js';
import type { Member } from '../../../core/contracts/messages.js';
import type { HeldCopy, HeldOutput, TaskInput } from '../../../core/contracts/task.js';
import { copyTargets, Ring } from '../../wire/index.js';
import type { Fetcher } from './fetcher.js';

export interface ReplicaSource {
  /** All workers, this one too. */
  members(): Promise<readonly Member[]>;
  log(message: string): void;
}

/**
 * Has other workers copy what an attempt left: the next ones on the ring of workers, those of other hosts before those of this one. One that
 * does not answer is passed over; with too few workers there are fewer copies.
 * @returns the output with all copies there are, the maker's first
 */
export async function replicate(
  held: HeldOutput,
  { spec, assignment, worker, host }: TaskInput,
  source: ReplicaSource,
  fetcher: Fetcher,
): Promise<HeldOutput> {
  const [own] = held.copies;
  if (spec.replicas < 2 || own?.endpoint == null) return held;
  const members = new Map((await source.members()).map((member) => [member.worker, member]));
  const key = `${spec.id}/${taskName(assignment.task)}`;
  const targets = copyTargets(new Ring([...members.keys()]), key, members, [{ worker, host }]);
  const copies: HeldCopy[] = [own];
  const kind = held.crc32c === null ? 'seg' : 'rec';
  for (const { worker: name, host: theirs, endpoint } of targets) {
    if (copies.length === spec.replicas || endpoint === null) break;
    try {
      const path = await fetcher.askToCopy(endpoint, { job: spec.id, attempt: held.attempt, kind, from: own.endpoint });
      copies.push({ worker: name, host: theirs, path, endpoint });
    } catch (error) {
      source.log(`${name} did not copy ${held.attempt}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return { ...held, copies };
}
