import { DafError, type DafErrorCode, toWire } from '../core/contracts/errors.js';
import type { Dataset } from '../faces/datasets/dataset.js';
import type { InputRecord, PhotoRecord } from './input.js';

export interface DatasetLimits {
  /** Photos at most, in the set's order; null: all. */
  readonly photos: number | null;
  /** People at most, those that come first, with all their photos. */
  readonly people: number | null;
}

export interface DatasetInput {
  readonly people: number;
  readonly photos: number;
  /** Photos refused before anything is opened, the ones summed up included. */
  readonly refused: number;
  /** Photos left out because of the limits. */
  readonly leftOut: number;
  readonly first: PhotoRecord | null;
  /** Reads the set again: what the job is given, one at a time. */
  records(): AsyncGenerator<InputRecord>;
}

/** Refusals of one code that are named one by one; the others are counted. */
const NAMED = 1000;

/**
 * The records of an avatar job over an annotated data set. The set is read once for its numbers, so that what is damaged is said before
 * anything starts, and once more for the job; neither holds it.
 * @throws DafError ERR_DAF_BAD_DATA, ERR_DAF_NO_INPUT
 */
export async function datasetInput(dataset: Dataset, limits: DatasetLimits): Promise<DatasetInput> {
  const sum = { people: 0, photos: 0, refused: 0, leftOut: 0 };
  let first: PhotoRecord | null = null;
  for await (const record of read(dataset, limits, sum)) {
    if ('path' in record) first ??= record;
  }
  if (sum.photos === 0 && sum.refused === 0) throw new DafError('ERR_DAF_NO_INPUT', `the ${dataset.kind} data set is empty`);
  return { ...sum, first, records: () => read(dataset, limits, { people: 0, photos: 0, refused: 0, leftOut: 0 }) };
}

async function* read(
  dataset: Dataset,
  limits: DatasetLimits,
  sum: { people: number; photos: number; refused: number; leftOut: number },
): AsyncGenerator<InputRecord> {
  const place = new Map<string, number>();
  const unnamed = new Map<DafErrorCode, number>();
  const named = new Map<DafErrorCode, number>();
  for await (const entry of dataset.entries()) {
    if ('fault' in entry) {
      sum.refused += 1;
      const { code, message, hint } = toWire(entry.fault);
      const before = named.get(code) ?? 0;
      named.set(code, before + 1);
      if (before < NAMED) yield { name: entry.name, refused: { code, message, hint } };
      else unnamed.set(code, (unnamed.get(code) ?? 0) + 1);
      continue;
    }
    const { name, path, member, sidecar, identity, hint, attributes } = entry;
    const known = place.get(identity);
    const full = sum.photos >= (limits.photos ?? Number.POSITIVE_INFINITY);
    if (full || (known === undefined && place.size >= (limits.people ?? Number.POSITIVE_INFINITY))) {
      sum.leftOut += 1;
      continue;
    }
    const person = known ?? place.size;
    place.set(identity, person);
    sum.people = place.size;
    sum.photos += 1;
    yield { name, path, member, sidecar, pathBytes: null, identity, person, hint, attributes };
  }
  for (const [code, count] of unnamed) {
    yield {
      name: `${dataset.kind}: ${count} more`,
      refused: { code, message: `${count} more are refused for the same reason`, hint: null },
    };
  }
}
