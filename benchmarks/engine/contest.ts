import { closeSync, fdatasyncSync, openSync } from 'node:fs';
import { median } from '../row.js';

/** What takes part: does its work once and returns its seconds. */
export type Contender = () => Promise<number>;

/** All contenders in turn, again and again, so that none has the machine's better hour. @returns the median of each, seconds */
export async function contest<Name extends string>(
  repeats: number,
  contenders: Readonly<Record<Name, Contender>>,
  log: (line: string) => void,
): Promise<Record<Name, number>> {
  const times = {} as Record<Name, number[]>;
  for (const name of Object.keys(contenders) as Name[]) times[name] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const name of Object.keys(contenders) as Name[]) {
      const seconds = await contenders[name]();
      times[name].push(seconds);
      log(`${name}: ${seconds.toFixed(2)} s`);
    }
  }
  return Object.fromEntries(Object.entries<number[]>(times).map(([name, all]) => [name, median(all)])) as Record<Name, number>;
}

/** Waits until a file has reached the disk. @returns seconds that took */
export function flushed(path: string): number {
  const begun = performance.now();
  const file = openSync(path, 'r+');
  fdatasyncSync(file);
  closeSync(file);
  return (performance.now() - begun) / 1000;
}
