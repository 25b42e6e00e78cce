/** Generations of consecutive tasks, run-length encoded: [[generation, count], …]. */
export type Generations = readonly (readonly [number, number])[];

/** [3,3,3,4] → [[3,3],[4,1]] */
export function runLengths(values: Iterable<number>): [number, number][] {
  const runs: [number, number][] = [];
  for (const value of values) {
    const last = runs[runs.length - 1];
    if (last !== undefined && last[0] === value) last[1]++;
    else runs.push([value, 1]);
  }
  return runs;
}

/** How many tasks they are of. */
export function countOf(generations: Generations): number {
  return generations.reduce((sum, [, count]) => sum + count, 0);
}
