/** One answer of a benchmark. */
export interface Row {
  readonly question: string;
  /** What was measured: sizes, instruction set, threads. */
  readonly case: string;
  readonly value: number;
  readonly unit: string;
  /** The limit or peer measured in the same run, with its value. */
  readonly against: string;
  /** value over that of `against` (or its inverse where less is better), so that more is better. */
  readonly ratio: number;
  /** The ratio aimed at; null where none is. */
  readonly reach: number | null;
  /** ratio ≥ reach; null without a reach. */
  readonly holds: boolean | null;
}

export interface BenchOptions {
  /** Smaller inputs and fewer repeats: shows that the benchmark runs, not how fast DAF is. */
  readonly quick: boolean;
  /** What `--set name=value` gave. */
  readonly settings: Readonly<Record<string, string>>;
  /** A line of what happens now, for people. */
  log(line: string): void;
}

/** What each file of this folder but main.ts and row.ts exports. */
export interface Benchmark {
  readonly group: 'field' | 'engine' | 'avatars';
  readonly name: string;
  /** Takes an hour: runs where its name is asked for, not with its group. */
  readonly byNameOnly?: boolean;
  /** Names of the settings that it knows. */
  readonly settings?: readonly string[];
  run(options: BenchOptions): Promise<readonly Row[]>;
}

export function row(
  question: string,
  what: string,
  value: number,
  unit: string,
  against: string,
  ratio: number,
  reach: number | null,
): Row {
  return { question, case: what, value, unit, against, ratio, reach, holds: reach === null ? null : ratio >= reach };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
