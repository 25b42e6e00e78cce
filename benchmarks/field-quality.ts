/**
 * Question: how good is a field after 1, 5 and 15 minutes on two threads, on pictures that training never opens? The clock starts with the
 * process; evaluation is not part of it. The scenes are those of the shared data, where it is there, and bricks that are drawn here.
 * Takes one and a half hours, so it runs where its name is asked for.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSharp } from '#daf/core/sharp.js';
import { CASES, QUICK_CASES, type QualityCase } from './quality/cases.js';
import { qualityCurve } from './quality/curve.js';
import { plotQuality, type QualityCurve } from './quality/plot.js';
import { type BenchOptions, type Row, row } from './row.js';

export const group = 'field';
export const name = 'quality';
export const byNameOnly = true;
export const settings = ['scenes', 'minutes', 'out'];

const MB = 2 ** 20;
const MINUTES = [1, 5, 15];

export async function run({ quick, log, settings }: BenchOptions): Promise<readonly Row[]> {
  const cases = chosenCases(settings['scenes'], quick);
  const minutes = chosenMinutes(settings['minutes'], quick);
  const temporary = mkdtempSync(join(tmpdir(), 'daf-bench-'));
  try {
    const curves: QualityCurve[] = [];
    for (const scene of cases) {
      const path = await scene.find(temporary);
      if (path === null) {
        log(`${scene.name}: skipped, it is not among the shared data`);
        continue;
      }
      const points = [];
      for (const point of qualityCurve(path, minutesOf(scene, minutes, settings), temporary)) {
        log(
          `${scene.name}: ${point.psnr.toFixed(2)} dB after ${(60 * point.minutes).toFixed(0)} s of training, ` +
            `${point.steps} steps, process ${point.wallSeconds.toFixed(1)} s`,
        );
        points.push(point);
      }
      curves.push({ scene, points });
    }
    if (curves.length === 0) return [];
    for (const each of table(curves)) log(each);
    if (settings['out'] !== undefined) await writePlot(settings['out'], curves, log);
    return curves.flatMap(rowsOf);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function chosenCases(names: string | undefined, quick: boolean): readonly QualityCase[] {
  if (names === undefined) return quick ? QUICK_CASES : CASES;
  return names.split(',').map((name) => {
    const found = CASES.find((one) => one.name === name);
    if (found === undefined) throw new Error(`scenes=${names}: no ${name}; there are ${CASES.map((one) => one.name).join(', ')}`);
    return found;
  });
}

function chosenMinutes(list: string | undefined, quick: boolean): readonly number[] {
  if (list === undefined) return quick ? [0.05, 0.1] : MINUTES;
  const minutes = list.split(',').map(Number);
  if (!minutes.every((one) => one > 0 && Number.isFinite(one))) throw new Error(`minutes=${list}: expected numbers above 0`);
  return minutes.sort((a, b) => a - b);
}

/** No longer than is asked of the scene, unless told. */
function minutesOf(scene: QualityCase, minutes: readonly number[], settings: BenchOptions['settings']): readonly number[] {
  return settings['minutes'] === undefined ? minutes.filter((one) => one <= scene.minutes) : minutes;
}

function rowsOf({ scene, points }: QualityCurve): Row[] {
  return points.map(({ minutes, psnr, images, peakBytes }) =>
    row(
      'field quality: held-out PSNR',
      `${scene.name} (${scene.pictures}), ${Number(minutes.toPrecision(3))} min, 2 threads, ${images} views, peak ${(peakBytes / MB).toFixed(0)} MB`,
      psnr,
      'dB',
      `${scene.reach} dB wanted at ${scene.minutes} min`,
      psnr / scene.reach,
      minutes === scene.minutes ? 1 : null,
    ),
  );
}

function table(curves: readonly QualityCurve[]): string[] {
  const times = [...new Set(curves.flatMap(({ points }) => points.map(({ minutes }) => minutes)))].sort((a, b) => a - b);
  const cells = curves.map(({ scene, points }) => [
    scene.name,
    ...times.map((time) => points.find(({ minutes }) => minutes === time)?.psnr.toFixed(2) ?? ''),
    `${scene.reach} at ${scene.minutes} min`,
  ]);
  const head = ['held-out PSNR, dB', ...times.map((time) => `${Number(time.toPrecision(3))} min`), 'wanted'];
  return [head, head.map(() => '---'), ...cells].map((line) => `| ${line.join(' | ')} |`);
}

async function writePlot(folder: string, curves: readonly QualityCurve[], log: BenchOptions['log']): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const sharp = await loadSharp();
  const file = join(folder, 'field-quality.png');
  await sharp(Buffer.from(plotQuality(curves)))
    .png()
    .toFile(file);
  writeFileSync(join(folder, 'field-quality.md'), `${table(curves).join('\n')}\n`);
  log(`table and plot: ${file}, field-quality.md beside it`);
}
