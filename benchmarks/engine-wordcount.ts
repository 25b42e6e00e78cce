import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contest, flushed } from './engine/contest.js';
import { dafRun, partFiles } from './engine/daf.js';
import { warm, writeText } from './engine/inputs.js';
import { Peaks } from './engine/peaks.js';
import { MemoryWall } from './engine/wall.js';
import { DuckDb, quoted } from './peers/duckdb.js';
import { type BenchOptions, type Row, row } from './row.js';

export const group = 'engine';
export const name = 'wordcount';

const MB = 2 ** 20;
/** Two workers of the default budget, launcher and coordinator. */
const LIMIT = (2 * 512 + 200) * MB;
const PLUGIN = fileURLToPath(new URL('../../build/Release/plugins/wordcount.so', import.meta.url));

/**
 * How fast are words counted, by the shipped plugin (in a child process, emitting once for every word) and by the same job in TypeScript,
 * against DuckDB and `tr | sort | uniq -c`? A text by Zipf's law with more than a million distinct words; all stand under one
 * memory limit, the input is in the page cache, each is timed until its output has reached the disk.
 */
export async function run({ quick, log }: BenchOptions): Promise<readonly Row[]> {
  if (!existsSync(PLUGIN)) {
    log(`engine-wordcount: skipped, ${PLUGIN} is not there; npm run build:native makes it`);
    return [];
  }
  const bytes = quick ? 16 * MB : 400 * MB;
  const repeats = quick ? 1 : 3;
  const folder = mkdtempSync(join(process.env['DAF_BENCH_DIR'] ?? tmpdir(), 'daf-bench-'));
  const wall = new MemoryWall(LIMIT);
  try {
    const input = join(folder, 'input');
    const [native, script, counted, ducks] = ['native', 'typescript', 'counted', 'duck'].map((each) => join(folder, each)) as [
      string,
      string,
      string,
      string,
    ];
    writeText(input, bytes, quick ? 1 << 17 : 1_500_000);
    const processes = new Peaks();
    const daf = async (job: string, output: string): Promise<number> => {
      warm(input);
      const ran = await dafRun(wall, [job, '--input', input, '--workers', '2', '--overwrite'], output, processes);
      return ran.seconds;
    };
    const duck = DuckDb.find(log);
    const contenders = {
      native: () => daf(PLUGIN, native),
      typescript: () => daf('wordcount', script),
      async unix(): Promise<number> {
        warm(input);
        const pipe = `tr -cs A-Za-z '\\n' < "$0" | sort -S 300M --parallel=2 -T "$2" | uniq -c > "$1"`;
        const { seconds } = await wall.run('sh', ['-c', pipe, input, counted, folder], { ...process.env, LC_ALL: 'C' });
        return seconds + flushed(counted);
      },
    };
    const withDuck = {
      async duckdb(): Promise<number> {
        if ('missing' in duck) return Number.NaN;
        warm(input);
        const read = `read_csv(${quoted(input)}, columns = {'line': 'VARCHAR'}, header = false, quote = '', escape = '', delim = '\t')`;
        // The text has one blank between words, so that splitting, faster than an expression, is right as well.
        const words = `SELECT unnest(string_split(line, ' ')) AS word FROM ${read}`;
        const query = `COPY (SELECT word, count(*) FROM (${words}) GROUP BY word) TO ${quoted(ducks)} (FORMAT csv, HEADER false, DELIMITER '\t')`;
        return duck.run(wall, { query, output: ducks, memory: '1GB', threads: 2, folder });
      },
    };
    const times = await contest(
      repeats,
      { ...contenders, ...('missing' in duck ? {} : withDuck) } as typeof contenders & typeof withDuck,
      log,
    );
    const words = agree(partFiles(native), partFiles(script), 'missing' in duck ? null : ducks, counted);
    const what = `${(bytes / MB).toFixed(0)} MB, ${words} distinct words, 2 workers, warm input, ${wall.words}`;
    const speed = (seconds: number): string => `${(bytes / MB / seconds).toFixed(0)} MB/s`;
    const result = (question: string, seconds: number, against: string, ratio: number, reach: number | null): Row =>
      row(question, what, bytes / MB / seconds, 'MB/s', against, ratio, reach);
    const plugin = 'word count, plugin in a child process';
    return [
      'missing' in duck
        ? result(plugin, times.native, `no DuckDB: ${duck.missing}`, 0, null)
        : result(
            plugin,
            times.native,
            `DuckDB ${duck.version}, 2 threads: ${speed(times.duckdb)}`,
            times.duckdb / times.native,
            1,
          ),
      result(plugin, times.native, `tr | sort | uniq -c: ${speed(times.unix)}`, times.unix / times.native, 1 / 0.3),
      result(
        'word count, TypeScript',
        times.typescript,
        `plugin: ${speed(times.native)}`,
        times.native / times.typescript,
        1 / 3,
      ),
      ...processes.rows('word count', what),
    ];
  } finally {
    await wall.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Sees to it that all have counted the same. @returns the number of distinct words */
function agree(native: readonly string[], script: readonly string[], duck: string | null, unix: string): number {
  const lines = (files: readonly string[]): string[] =>
    files.flatMap((file) => readFileSync(file, 'latin1').split('\n').slice(0, -1));
  const reference = lines([unix])
    .map((line) => line.trim().split(' ').reverse().join('\t'))
    .sort();
  for (const [who, files] of Object.entries({ native, script, duck: duck === null ? [] : [duck] })) {
    if (files.length === 0) continue;
    const counted = lines(files).sort();
    if (counted.length !== reference.length || counted.some((line, i) => line !== reference[i]))
      throw new Error(`${who} and uniq -c disagree: the figures mean nothing`);
  }
  return reference.length;
}
