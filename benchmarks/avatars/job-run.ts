import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AvatarReport } from '#daf/avatars/report.js';

const DAF = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
const MB = 2 ** 20;
/** What every person's folder holds. */
const FILES = [
  ...['avatar.glb', 'avatar.obj', 'avatar.mtl', 'avatar.png', 'avatar.ply', 'field.safetensors'],
  ...['preview.png', 'turntable.png', 'contact-row.png', 'report.json'],
];

/** One run of `daf avatar`, everything included. */
export interface JobRun {
  /** From the start of the process to its end. */
  readonly seconds: number;
  /** People with an avatar and all of its files. */
  readonly people: readonly AvatarReport[];
  readonly peakMegabytes: number;
  /** Median over tasks, ms on the clock. */
  readonly mapMilliseconds: number;
  readonly reduceMilliseconds: number;
}

interface TaskTime {
  readonly task: string;
  readonly milliseconds: number;
}

/** @param cpus of coordinator, workers and commit together, as taskset writes them. @throws Error where files are missing or the job failed. */
export function runJob(input: string, out: string, quality: string, cpus: string, workers: number): JobRun {
  const begin = performance.now();
  const args = ['avatar', input, '--out', out, '--quality', quality, '--workers', String(workers), '--memory', '512MB', '--json'];
  const ran = spawnSync('taskset', ['-c', cpus, process.execPath, DAF, ...args], { encoding: 'utf8', maxBuffer: 64 * MB });
  const seconds = (performance.now() - begin) / 1000;
  if (ran.status !== 0) throw new Error(`daf avatar ended with ${ran.status ?? ran.error}: ${ran.stdout}${ran.stderr}`);
  const { avatars } = JSON.parse(ran.stdout) as { avatars: string[] };
  const people = avatars.map((name) => readPerson(join(out, 'avatars', name)));
  for (const name of ['manifest.json', 'index.html', 'contact.png']) mustExist(join(out, name));
  const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as { tasks: TaskTime[]; peakBytes: number };
  const middle = (kind: string): number => {
    const times = report.tasks.filter(({ task }) => task.startsWith(kind)).map(({ milliseconds }) => milliseconds);
    return times.sort((a, b) => a - b)[times.length >> 1] ?? 0;
  };
  return {
    seconds,
    people,
    peakMegabytes: report.peakBytes / MB,
    mapMilliseconds: middle('map'),
    reduceMilliseconds: middle('reduce'),
  };
}

function readPerson(folder: string): AvatarReport {
  for (const name of FILES) mustExist(join(folder, name));
  return JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as AvatarReport;
}

function mustExist(path: string): void {
  if (!existsSync(path)) throw new Error(`${path} is missing`);
}
