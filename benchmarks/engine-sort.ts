import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contest, flushed } from './engine/contest.js';
import { dafRun, partFiles } from './engine/daf.js';
import { KEY_BYTES, RECORD_BYTES, warm, writeRecords } from './engine/inputs.js';
import { Peaks } from './engine/peaks.js';
import { MemoryWall } from './engine/wall.js';
import { DuckDb, quoted } from './peers/duckdb.js';
import { type BenchOptions, type Row, row } from './row.js';

export const group = 'engine';
export const name = 'sort';

const MB = 2 ** 20;
const LIMIT = 512 * MB;
const SORT_BUFFER = '300M';
const DUCK_MEMORY = '200MB';

/**
 * How fast does a cluster of this machine sort what does not fit into its memory, against `sort` and DuckDB? Newline records of 100 bytes by
 * their first ten; everything that a contender is and uses stands under one memory limit, the input is in the page cache for all of
 * them, and each is timed until its output has reached the disk. DAF's time is that of the command: launcher, coordinator, workers.
 */
export async function run({ quick, log }: BenchOptions): Promise<readonly Row[]> {
  const wanted = quick ? 40e6 : 1e9;
  const repeats = quick ? 1 : 3;
  const folder = mkdtempSync(join(process.env['DAF_BENCH_DIR'] ?? tmpdir(), 'daf-bench-'));
  const wall = new MemoryWall(LIMIT);
  try {
    const input = join(folder, 'input');
    const [out, sorted, ducks] = [join(folder, 'daf'), join(folder, 'sorted'), join(folder, 'duck')];
    const bytes = writeRecords(input, wanted);
    const peaks: number[] = [];
    const processes = new Peaks();
    const duck = DuckDb.find(log);
    const contenders = {
      async daf(): Promise<number> {
        warm(input);
        const ran = await dafRun(
          wall,
          ['sort', '--input', input, '--param', `key=${KEY_BYTES}`, '--workers', '2', '--overwrite'],
          out,
          processes,
        );
        if (ran.peakBytes !== null) peaks.push(ran.peakBytes);
        return ran.seconds;
      },
      async sort(): Promise<number> {
        warm(input);
        const options = [`-k1,1.${KEY_BYTES}`, '-s', '-S', SORT_BUFFER, '--parallel=2', '-T', folder, '-o', sorted, input];
        const { seconds } = await wall.run('sort', options, { ...process.env, LC_ALL: 'C' });
        return seconds + flushed(sorted);
      },
    };
    const withDuck = {
      async duckdb(): Promise<number> {
        if ('missing' in duck) return Number.NaN;
        warm(input);
        const read = `read_csv(${quoted(input)}, columns = {'line': 'VARCHAR'}, header = false, quote = '', escape = '', delim = '\t')`;
        const query = `COPY (SELECT line FROM ${read} ORDER BY line[1:${KEY_BYTES}]) TO ${quoted(ducks)} (FORMAT csv, HEADER false, QUOTE '', DELIMITER '\t')`;
        return duck.run(wall, { query, output: ducks, memory: DUCK_MEMORY, threads: 2, folder });
      },
    };
    const times = await contest(
      repeats,
      { ...contenders, ...('missing' in duck ? {} : withDuck) } as typeof contenders & typeof withDuck,
      log,
    );
    const ours = await digest(partFiles(out));
    if (ours !== (await digest([sorted]))) throw new Error('DAF and sort disagree: the figures mean nothing');
    const what = `${(bytes / 1e6).toFixed(0)} MB of ${RECORD_BYTES}-byte lines, 2 workers, warm input, ${wall.words}`;
    const speed = (seconds: number): string => `${(bytes / MB / seconds).toFixed(0)} MB/s`;
    const result = (against: string, ratio: number, reach: number | null): Row =>
      row('external sort', what, bytes / MB / times.daf, 'MB/s', against, ratio, reach);
    const rows = [result(`sort -S ${SORT_BUFFER} --parallel=2: ${speed(times.sort)}`, times.sort / times.daf, 1)];
    if ('missing' in duck) rows.push(result(`no DuckDB: ${duck.missing}`, 0, null));
    else rows.push(result(`DuckDB ${duck.version} at ${DUCK_MEMORY}: ${speed(times.duckdb)}`, times.duckdb / times.daf, 1 / 0.6));
    const against = `limit of ${LIMIT / MB} MB`;
    rows.push(...processes.rows('external sort', what));
    if (peaks.length > 0) {
      const all = Math.max(...peaks) / MB;
      rows.push(row('external sort: all processes together', what, all, 'MB', against, LIMIT / MB / all, 1));
    }
    return rows;
  } finally {
    await wall.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** SHA-256 of files one after the other. */
async function digest(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) for await (const chunk of createReadStream(file, { highWaterMark: MB })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
