import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import type { WireError } from '../../core/contracts/errors.js';
import type { Ended } from './by-hand.js';
import { Ordeal } from './chaos.js';

const SCALE = { seed: 5, lines: 1500, everyMs: 0, faults: 0, pauseMs: 5 };
/** A worker holds 34 files when it is idle and 67 while a reduce merges a hundred outputs. */
const TOO_FEW_FILES = 48;
const FEW_FILES = 80;
/** Attempts that EMFILE has to fail before files can be opened again. */
const REFUSALS = 3;

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
  t.match(failed.stderr, /hint: .*free/, 'and what to do');
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

/** Merges of a hundred outputs get by with few files; a worker that may open fewer still says what lacks, and one that may open enough gets the job done beside it. */
export async function fewFiles(t: Test): Promise<void> {
  if (!canLimit()) return void t.pass('', { skip: 'there is no prlimit here' });
  const ordeal = new Ordeal(t, { ...SCALE, lines: 3000 });
  const { cluster } = ordeal;
  const limited = (files: number): unknown => cluster.startWorker({ prefix: ['prlimit', `--nofile=${files}:${files}`] });
  // About a hundred map outputs for each reduce.
  const submit = (): Promise<Ended> => ordeal.submit('out', { args: ['--split-size', '600'] });
  await cluster.startCoordinator();
  limited(TOO_FEW_FILES);
  await cluster.workersReady(1);
  const failed = await submit();
  t.equal(failed.how, 1, 'it fails');
  t.match(failed.stderr, /EMFILE|too many open files/i, 'and says why');
  limited(FEW_FILES);
  await cluster.workersReady(2);
  await ordeal.check(t, 'out', await submit());
  t.same(cluster.ends, [], 'no worker died of it');
}

/** A worker that cannot open one more file for a while: EMFILE fails attempts, says so, and costs nothing of the result. */
export async function noFiles(t: Test): Promise<void> {
  if (!canLimit()) return void t.pass('', { skip: 'there is no prlimit here' });
  const ordeal = new Ordeal(t, SCALE);
  const { cluster } = ordeal;
  await cluster.startCoordinator();
  const worker = cluster.startWorker();
  await cluster.workersReady(1);
  const detached = await ordeal.submit('out', { pauseMs: 60, args: ['--detach', '--max-attempts', '100'] });
  t.equal(detached.how, 0, detached.stderr);
  await ordeal.underWay();
  await using client = await cluster.client();
  const job = await client.job(detached.stdout.trim());
  const before = openFiles(worker.pid!);
  // Below what is open already: the next open() is refused, whichever number it would get.
  t.ok(limitFiles(worker.pid!, 3), 'from now on no file can be opened');
  let refused = 0;
  let raised = false;
  for await (const event of job.progress()) {
    if (event.kind !== 'attempt-failed' || !saysFewFiles(event.error)) continue;
    refused += 1;
    if (refused < REFUSALS || raised) continue;
    raised = true;
    t.ok(limitFiles(worker.pid!, 4096), 'there are files again');
  }
  t.ok(refused >= REFUSALS, `EMFILE failed ${refused} attempts`);
  await ordeal.check(t, 'out', await cluster.ask(['status', job.id, '--wait']));
  t.same(cluster.ends, [], 'the worker lived on');
  t.ok(openFiles(worker.pid!) <= before + 8, 'and left no file open');
}

function canLimit(): boolean {
  return spawnSync('prlimit', ['--version']).status === 0;
}

/** Sets how many files a process may have open. */
function limitFiles(pid: number, files: number): boolean {
  return spawnSync('prlimit', ['--pid', String(pid), `--nofile=${files}:`]).status === 0;
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function saysFewFiles({ message, cause }: WireError): boolean {
  return /EMFILE|too many open files/i.test(message) || (cause !== null && saysFewFiles(cause));
}
