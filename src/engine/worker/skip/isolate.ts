import type { DafError } from '../../../core/contracts/errors.js';

/** A record that kills whatever maps it. */
export interface BadRecord {
  /** Among the records it was found in, from 0. */
  readonly index: number;
  readonly error: DafError;
}

/**
 * Finds the records of a range that kill by bisection: a range that dies is halved until a single record does, and that one is tried once
 * more, so that none is blamed for bad luck. Takes about 2 · log₂(n) tries for each such record.
 * @param kills maps the records `from … to − 1`; null when that goes well
 */
export async function isolate(
  from: number,
  to: number,
  kills: (from: number, to: number) => Promise<DafError | null>,
): Promise<BadRecord[]> {
  if (from === to || (await kills(from, to)) === null) return [];
  if (to - from === 1) {
    const error = await kills(from, to);
    return error === null ? [] : [{ index: from, error }];
  }
  const middle = (from + to) >> 1;
  return [...(await isolate(from, middle, kills)), ...(await isolate(middle, to, kills))];
}
