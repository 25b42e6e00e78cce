import type { JobState } from './job-state.js';
import type { TaskTable } from './task-table.js';

/** An attempt that has taken this many times as long as its stage's tasks do on average gets a second chance elsewhere. */
const SLOWER = 2;
/** Part of a stage that has to be committed before its average says anything. */
const KNOWN = 0.25;
/** Backups at a time, as a part of what runs. */
const SHARE = 0.1;

/**
 * Asks for backups of attempts that hold up their stage: when all its tasks have been given out, the ones expected to end last, if a copy
 * that starts now would be done earlier (LATE, Zaharia et al. 2008).
 * @param leastMs attempts younger than this are never slow
 */
export function findStragglers(job: JobState, now: number, leastMs: number): void {
  if (job.phase !== 'running' || job.closing || !job.spec.backups) return;
  for (const table of job.graph.tables) {
    if (table.ready > 0 || table.running === 0 || table.committed < KNOWN * table.total) continue;
    for (const index of slowest(table, now, leastMs)) table.askBackup(index);
  }
}

function slowest(table: TaskTable, now: number, leastMs: number): number[] {
  const mean = table.meanMs;
  const late: { readonly index: number; readonly left: number }[] = [];
  let backups = table.wantedBackups;
  for (const attempt of table.allLive()) {
    if (attempt.backup) backups += 1;
    const elapsed = now - attempt.startedAt;
    if (attempt.state !== 'running' || elapsed < Math.max(leastMs, SLOWER * mean)) continue;
    if (table.live(attempt.task.index).length > 1) continue;
    const left = attempt.progress > 0 ? (elapsed * (1 - attempt.progress)) / attempt.progress : Number.POSITIVE_INFINITY;
    if (left > mean) late.push({ index: attempt.task.index, left });
  }
  const room = Math.max(1, Math.floor(SHARE * table.running)) - backups;
  late.sort((a, b) => b.left - a.left || a.index - b.index);
  return late.slice(0, Math.max(0, room)).map(({ index }) => index);
}
