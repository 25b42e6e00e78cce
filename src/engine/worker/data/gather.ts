import { existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { DafError } from '../../../core/contracts/errors.js';
import type { JobSpec } from '../../../core/contracts/job.js';
import { readsOf, type TaskRange } from '../../../core/contracts/step.js';
import type { Assignment, HeldCopy, HeldOutput, TaskSource } from '../../../core/contracts/task.js';
import { fetchedPath } from '../attempt-data.js';
import { isLoss, LostInputs } from '../lost-inputs.js';
import type { Fetcher, Wanted, WriteChunk } from './fetcher.js';

/** Fetches of one task at a time; each may hold its credit in memory. */
const PARALLEL = 4;

export interface GatherTarget {
  readonly spec: JobSpec;
  readonly assignment: Assignment;
  readonly dataDir: string;
  readonly host: string;
  isCancelled(): boolean;
}

/**
 * Makes what a task reads readable for its thread: files of this host as they are, what other hosts hold fetched into one file of the
 * attempt, copy after copy until one is good.
 * @param inputs what the tasks of each of readsOf() hold
 * @throws LostInputs naming all outputs of which no copy can be had
 */
export async function gatherInputs(
  inputs: readonly (readonly HeldOutput[])[],
  target: GatherTarget,
  fetcher: Fetcher,
): Promise<TaskSource[][]> {
  const ranges = readsOf(target.spec, target.assignment.task);
  const fetched = new FetchedFile(fetchedPath(target.dataDir, target.assignment.attempt));
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
        if (!isLoss(cause)) throw cause;
        lost.push(output);
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(PARALLEL, outputs.length) }, worker));
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
  if (key !== null) return { ...source, place: { kind: 'store', key, bytes } };
  const local = copies.find(({ host, path }) => host === target.host && (copies.length === 1 || existsSync(path)));
  if (local !== undefined) return { ...source, place: { kind: 'file', path: local.path, bytes } };
  const task = target.assignment.task;
  const kind = range.step === task.step && range.stage === 'map' ? 'seg' : 'rec';
  const wanted = { job: target.spec.id, attempt: output.attempt, kind, partition: kind === 'seg' ? task.index : 0 } as const;
  return { ...source, place: await fetchOne(copies, wanted, crc32c, target, fetcher, fetched) };
}

async function fetchOne(
  copies: readonly HeldCopy[],
  wanted: Wanted,
  crc32c: number | null,
  target: GatherTarget,
  fetcher: Fetcher,
  fetched: FetchedFile,
): Promise<TaskSource['place']> {
  let why: unknown = new DafError('ERR_DAF_NOT_FOUND', `nobody serves ${wanted.attempt}`);
  for (const { endpoint } of copies) {
    if (endpoint === null || fetched.silent.has(endpoint)) continue;
    try {
      return await fetched.take((write) => fetcher.fetch(endpoint, wanted, crc32c, write, () => target.isCancelled()));
    } catch (error) {
      why = error;
      const { code } = DafError.from(error, 'ERR_DAF_IO');
      if (code === 'ERR_DAF_UNREACHABLE') fetched.silent.add(endpoint);
      if (!isLoss(DafError.from(error, 'ERR_DAF_IO'))) break;
    }
  }
  throw why;
}

/** What was fetched for an attempt, one part behind the other; created when there is something. */
class FetchedFile {
  /** Holders that did not answer: each is waited for once. */
  readonly silent = new Set<string>();
  readonly #path: string;
  #opening: Promise<FileHandle> | null = null;
  #bytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Parts arrive at once and in pieces: each gets its place as soon as its length is known. */
  async take(fetch: (write: WriteChunk) => Promise<number>): Promise<TaskSource['place']> {
    this.#opening ??= open(this.#path, 'w');
    const file = await this.#opening;
    let offset: number | null = null;
    const bytes = await fetch(async (chunk, at, total) => {
      offset ??= this.#claim(total);
      await file.write(chunk, 0, chunk.length, offset + at);
    });
    return { kind: 'part', path: this.#path, offset: offset ?? 0, bytes, fileBytes: 0 };
  }

  complete(source: TaskSource): TaskSource {
    const { place } = source;
    return place.kind === 'part' ? { ...source, place: { ...place, fileBytes: this.#bytes } } : source;
  }

  async close(): Promise<void> {
    await (await this.#opening)?.close();
  }

  #claim(bytes: number): number {
    const at = this.#bytes;
    this.#bytes += bytes;
    return at;
  }
}
