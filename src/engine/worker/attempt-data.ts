import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { taskName } from '../../core/contracts/job.js';
import type { TaskRead } from '../../core/contracts/task.js';

// What attempts leave in a worker's data directory of a job: <attempt>.seg (a map's segments), <attempt>.rec (records for a later
// step), <attempt>.in (fetched from other hosts), <attempt>.tmp (scratch files).

export const segmentPath = (dataDir: string, attempt: string): string => join(dataDir, `${attempt}.seg`);
export const recordsPath = (dataDir: string, attempt: string): string => join(dataDir, `${attempt}.rec`);
export const fetchedPath = (dataDir: string, attempt: string): string => join(dataDir, `${attempt}.in`);
export const scratchPath = (dataDir: string, attempt: string): string => join(dataDir, `${attempt}.tmp`);

/** Removes an attempt's intermediate files. */
export async function removeAttemptData(dataDir: string, attempt: string): Promise<void> {
  const paths = [segmentPath, recordsPath, fetchedPath, scratchPath].map((path) => path(dataDir, attempt));
  await Promise.all(paths.map((path) => rm(path, { recursive: true, force: true })));
}

/**
 * Removes what tasks of a range hold, up to the generations named.
 * @param jobDir holds the data directories of all workers of this place, those that are gone too
 */
export async function removeOutputs(jobDir: string, { step, stage, from, generations }: TaskRead): Promise<void> {
  const upTo = new Map<string, number>();
  let index = from;
  for (const [generation, count] of generations) {
    for (const end = index + count; index < end; index++) upTo.set(taskName({ step, stage, index }), generation);
  }
  for (const worker of await readdir(jobDir).catch(() => [])) {
    const folder = join(jobDir, worker);
    for (const name of await readdir(folder).catch(() => [])) {
      const match = /^(.+)-g(\d+)-a[\d.]+\.(?:seg|rec)$/.exec(name);
      const last = match === null ? undefined : upTo.get(match[1]!);
      if (last !== undefined && Number(match![2]) <= last) await rm(join(folder, name), { force: true });
    }
  }
}
