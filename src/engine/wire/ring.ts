import { createHash } from 'node:crypto';
import type { Member } from '../../core/contracts/messages.js';

/** Points of a member on the ring: the more, the evener the shares. */
const POINTS = 64;

/**
 * A consistent-hash ring (Karger et al. 1997): every member owns the stretches before its points, and the copies of a key go to the next
 * members from where it falls (successor list, as in Chord). A member that joins or leaves moves its own share only.
 */
export class Ring {
  readonly #points: readonly { readonly at: number; readonly member: string }[];

  constructor(members: readonly string[]) {
    this.#points = members
      .flatMap((member) => Array.from({ length: POINTS }, (_, i) => ({ at: hash(`${member}#${i}`), member })))
      .sort((a, b) => a.at - b.at || (a.member < b.member ? -1 : 1));
  }

  /** The first `count` members from the key on, each once; fewer when there are no more. */
  successors(key: string, count: number): string[] {
    const found = new Set<string>();
    const start = this.#firstAtOrAfter(hash(key));
    for (let i = 0; i < this.#points.length && found.size < count; i++) {
      found.add(this.#points[(start + i) % this.#points.length]!.member);
    }
    return [...found];
  }

  #firstAtOrAfter(at: number): number {
    let low = 0;
    let high = this.#points.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#points[middle]!.at < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Who should hold a key beside those that do, best first: the next members on the ring from where the key falls, those of hosts without a
 * copy before the others. Members without a data socket can hold nothing for others.
 */
export function copyTargets(
  ring: Ring,
  key: string,
  members: ReadonlyMap<string, Member>,
  holders: readonly Pick<Member, 'worker' | 'host'>[],
): Member[] {
  const holding = new Set(holders.map(({ worker }) => worker));
  const hosts = new Set(holders.map(({ host }) => host));
  const able = ring.successors(key, members.size).flatMap((name) => {
    const member = members.get(name);
    return member === undefined || member.endpoint === null || holding.has(name) ? [] : [member];
  });
  return [...able.filter(({ host }) => !hosts.has(host)), ...able.filter(({ host }) => hosts.has(host))];
}

/** 0 … 2^32 − 1, the same everywhere. */
function hash(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0);
}
