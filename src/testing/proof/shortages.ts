import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { Ordeal } from './chaos.js';

const SCALE = { seed: 5, lines: 1500, everyMs: 0, faults: 0, pauseMs: 5 };
/** A worker holds so many files when it is idle, and a few more for every task. */
const FEW_FILES = 64;

/** Mounts a small file system for the time of a test; false where that is not allowed. */
export function smallDisk(t: Test, folder: string, size: string): boolean {
  mkdirSync(folder, { recursive: true });
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]).status !== 0) return false;
  // Before the folder around it is removed, and after the processes have ended: teardown goes backwards.
  t.teardown(() => spawnSync('umount', ['-l', folder]));
  return true;
}

/** Fills a disk to the last byte; the returned function makes room again. */
function fill(folder: string): () => void {
  const ballast = join(folder, 'ballast');
  const { bavail, bsize } = statfsSync(folder);
  try {
    writeFileSync(ballast, new Uint8Array(bavail * bsize));
  } catch {
    // Full a little earlier.
  }
  return () => rmSync(ballast);
}

/** Where the workers' data, or the results, go is full: the job fails and says so; with room the same job gets done. */
export async function fullDisk(t: Test, what: 'data' | 'output'): Promise<void> {
  const ordeal = new Ordeal(t, SCALE);
  const { cluster, folder } = ordeal;
  const disk = join(folder, what === 'data' ? 'data' : 'small');
  if (!smallDisk(t, disk, '8m')) return void t.pass('', { skip: 'cannot mount a small file system here' });
  await cluster.startCoordinator();
  for (let i = 0; i < 2; i++) cluster.startWorker();
  await cluster.workersReady(2);
  const output = what === 'data' ? 'out' : 'small/out';
  // The client writes the input's splits and the code to the output first: it is full only afterwards.
  const submitted = await ordeal.submit(output, { pauseMs: 60, args: ['--detach'] });
  t.equal(submitted.how, 0, submitted.stderr);
  const makeRoom = fill(disk);
  const failed = await cluster.ask(['status', submitted.stdout.trim(), '--wait']);
  t.equal(failed.how, 1, 'it fails');
  t.match(failed.stderr, /ENOSPC|no space|disk is full/i, 'and says why');
  makeRoom();
  await ordeal.check(t, output, await ordeal.submit(output));
}

/** Where the coordinator keeps its state is full: nothing is lost, and all goes on with room. */
export async function fullState(t: Test): Promise<void> {
  const ordeal = new Ordeal(t, SCALE);
  const { cluster, folder } = ordeal;
  if (!smallDisk(t, join(folder, 'state'), '1m')) return void t.pass('', { skip: 'cannot mount a small file system here' });
  await cluster.startCoordinator();
  for (let i = 0; i < 2; i++) cluster.startWorker();
  await cluster.workersReady(2);
  const ended = ordeal.submit('out', { pauseMs: SCALE.pauseMs });
  await ordeal.underWay();
  const makeRoom = fill(join(folder, 'state'));
  await sleep(1500);
  makeRoom();
  await ordeal.check(t, 'out', await ended);
  t.same(cluster.ends, [], 'the coordinator waited');
}

/** A worker that may hold few files open: merges of many more outputs work within that, or the job says what lacks. */
export async function fewFiles(t: Test): Promise<void> {
  const prefix = ['prlimit', `--nofile=${FEW_FILES}:${FEW_FILES}`];
  if (spawnSync(prefix[0]!, ['--version']).status !== 0) return void t.pass('', { skip: 'there is no prlimit here' });
  const ordeal = new Ordeal(t, { ...SCALE, lines: 3000 });
  await ordeal.cluster.startCoordinator();
  ordeal.cluster.startWorker({ prefix });
  await ordeal.cluster.workersReady(1);
  // About a hundred map outputs for each reduce.
  const ended = await ordeal.submit('out', { args: ['--split-size', '600'] });
  if (ended.how === 0) return ordeal.check(t, 'out', ended);
  t.match(ended.stderr, /EMFILE|too many open files/i, 'it says what lacks');
  ordeal.cluster.startWorker();
  await ordeal.check(t, 'out', await ordeal.submit('out', { args: ['--split-size', '600'] }));
}
