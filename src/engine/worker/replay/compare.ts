import { basename, dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { placeOf } from '../../../core/contracts/step.js';
import type { HeldOutput } from '../../../core/contracts/task.js';
import { openBlobStore } from '../../stores/open-blob.js';
import type { Bundle } from './bundle.js';
import { firstDifference, firstDifferenceOfSegments, type Stored } from './first-difference.js';
import type { Run } from './runs.js';

/** Something that a run gave otherwise than was committed. */
export interface Difference {
  /** Name of an output, `held` for what the task left for others, or of a number in the report. */
  readonly name: string;
  readonly problem: string;
}

/** What a run left, against what the job committed: names, lengths, checksums, counts. */
export async function compareWithCommitted(run: Run, bundle: Bundle): Promise<Difference[]> {
  const { report, done } = run;
  const differences: Difference[] = [];
  const say = (name: string, problem: string): number => differences.push({ name, problem });
  const number = (name: string, here: number, there: number): void => {
    if (here !== there) say(name, `is ${here} here, ${there} there`);
  };
  number('recordsIn', done.recordsIn, report.recordsIn);
  number('recordsOut', done.recordsOut, report.recordsOut);
  number('skipped', done.skipped, report.skipped ?? 0);
  const counters = new Set([...Object.keys(done.counters), ...Object.keys(report.counters ?? {})]);
  for (const name of counters) number(`counter ${name}`, done.counters[name] ?? 0, report.counters?.[name] ?? 0);
  const refused = (list: readonly { readonly input: string; readonly code: string }[]): string =>
    list.map(({ input, code }) => `${input} ${code}`).join(', ');
  const [here, there] = [refused(done.refused), refused(report.refused ?? [])];
  if (here !== there) say('refused inputs', `are [${here}] here, [${there}] there`);
  if ((done.held?.bytes ?? 0) !== (report.held?.bytes ?? 0)) {
    say('held', `has ${done.held?.bytes ?? 0} bytes here, ${report.held?.bytes ?? 0} there`);
  } else if (done.held?.digest !== report.held?.digest) say('held', 'has other bytes');
  await compareOutputs(run, bundle, say);
  return differences;
}

async function compareOutputs(run: Run, bundle: Bundle, say: (name: string, problem: string) => void): Promise<void> {
  const made = new Map(run.done.outputs.map((file) => [file.name, file]));
  for (const { name, bytes, crc32c, volatile } of run.report.outputs ?? []) {
    const file = made.get(name);
    made.delete(name);
    if (file === undefined) say(name, 'is not written here');
    else if (!volatile && (file.bytes !== bytes || file.crc32c !== crc32c)) {
      const here = { store: run.stage.store, key: file.key };
      const first = await firstDifference(here, { store: bundle.results, key: name }, formatOf(run, name));
      // What was published has been changed since, into the very bytes that come out here.
      say(
        name,
        first ?? `has checksum ${hex(file.crc32c)} here, ${hex(crc32c)} there, but the published file has the bytes from here`,
      );
    }
  }
  for (const name of made.keys()) say(name, 'was not written there');
}

const hex = (crc: number): string => crc.toString(16).padStart(8, '0');

/** Part files are in the job's format; other files of a task are bytes. */
function formatOf({ stage }: Run, name: string): 'text' | 'json' | 'packed' | 'raw' | 'joined' {
  return /^part-[mr]-\d+$/.test(name) ? stage.spec.format.kind : 'raw';
}

/** Where two runs of one task begin to differ; null when they are alike. */
export async function compareRuns(first: Run, second: Run): Promise<string | null> {
  const made = new Map(first.done.outputs.map((file) => [file.name, file]));
  for (const { name, key, crc32c, bytes } of second.done.outputs) {
    const file = made.get(name);
    if (file === undefined) return `${name} is written only once`;
    if (file.crc32c === crc32c && file.bytes === bytes) continue;
    const there = { store: second.stage.store, key };
    const where = await firstDifference({ store: first.stage.store, key: file.key }, there, formatOf(first, name));
    return `${name}, ${where}`;
  }
  const [a, b] = [first.done.held, second.done.held];
  if (a === null || b === null || (a.digest === b.digest && a.bytes === b.bytes)) return null;
  return compareHeld(first, second, a, b);
}

async function compareHeld(first: Run, second: Run, a: HeldOutput, b: HeldOutput): Promise<string | null> {
  const { step } = first.task;
  if (a.crc32c === null) {
    const { reducers } = first.stage.spec.steps[step]!;
    return firstDifferenceOfSegments(a.copies[0]!.path, b.copies[0]!.path, reducers);
  }
  if (placeOf(first.stage.spec, step) === 'store') {
    return firstDifference({ store: first.stage.store, key: a.key! }, { store: second.stage.store, key: b.key! }, 'packed');
  }
  const stored = ({ copies }: HeldOutput): Stored => {
    const { path } = copies[0]!;
    return { store: openBlobStore(pathToFileURL(dirname(path)).href), key: basename(path) };
  };
  return firstDifference(stored(a), stored(b), 'packed');
}
