import type { JobStatus } from '../../core/contracts/job.js';
import { MAX_BODY_BYTES, type WorkerStatus } from '../../core/contracts/messages.js';
import { pack } from '../wire/index.js';

/** Room for what wraps them. */
const MOST = MAX_BODY_BYTES - 1024;

/** Statuses as a body takes them: the newest whole as far as there is room, others without counters and causes; the oldest are left out at last. */
export function listedJobs(jobs: readonly JobStatus[]): JobStatus[] {
  return fitting(jobs, (job) => ({
    ...job,
    counters: {},
    error: job.error && { ...job.error, hint: null, stack: null, cause: null, message: job.error.message.slice(0, 200) },
  }));
}

/** Workers as a body takes them: the later ones without what they run where there is no room for it. */
export function listedWorkers(workers: readonly WorkerStatus[]): WorkerStatus[] {
  return fitting([...workers].reverse(), (worker) => ({ ...worker, running: [] })).reverse();
}

/** @param all the more important ones last */
function fitting<T>(all: readonly T[], short: (each: T) => T): T[] {
  // Those that do not fit are not even measured: packing megabytes takes seconds.
  const long: number[] = [];
  for (let i = all.length - 1, total = 0; i >= 0 && total <= MOST; i--) total += long[long.push(pack(all[i]).length) - 1]!;
  if (long.length === all.length && sum(long) <= MOST) return [...all];
  const given = all.map(short);
  const bytes = given.map((each) => pack(each).length);
  let total = sum(bytes);
  let from = 0;
  for (; from < all.length && total > MOST; from++) total -= bytes[from]!;
  for (let i = all.length - 1; i >= from; i--) {
    total += (long[all.length - 1 - i] ?? MOST) - bytes[i]!;
    if (total > MOST) break;
    given[i] = all[i]!;
  }
  return given.slice(from);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
