import type { Member } from '../../core/contracts/messages.js';
import type { HeldCopy } from '../../core/contracts/task.js';
import { copyTargets, type Ring } from '../wire/index.js';

export interface CopyPlan {
  /** Endpoints of those that hold it and are there. */
  readonly from: readonly string[];
  /** Who should hold it too, as many as are missing and to be had, best first. */
  readonly to: readonly string[];
}

/**
 * What is missing of the copies of an output: those of members that are gone. An output of which nobody is left, or enough are there, needs
 * nothing; so a member that leaves moves what it held, and one that joins only what had too few copies.
 * @param key of the output on the ring
 * @param coming members that were asked to hold it and have not answered
 * @param isPassedOver members that could not lately
 */
export function planCopies(
  copies: readonly HeldCopy[],
  key: string,
  ring: Ring,
  members: ReadonlyMap<string, Member>,
  replicas: number,
  coming: readonly string[] = [],
  isPassedOver: (worker: string) => boolean = () => false,
): CopyPlan {
  const there = copies.filter(({ worker }) => members.has(worker));
  const from = there.flatMap(({ worker }) => members.get(worker)?.endpoint ?? []);
  const missing = replicas - there.length - coming.length;
  if (missing <= 0 || from.length === 0) return { from, to: [] };
  const holders = [...there, ...coming.flatMap((name) => members.get(name) ?? [])];
  const able = copyTargets(ring, key, members, holders).filter(({ worker }) => !isPassedOver(worker));
  return { from, to: able.slice(0, missing).map(({ worker }) => worker) };
}
