import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MemoryWall } from '../engine/wall.js';
import { DUCKDB, pythonEnvironment } from './environment.js';

// Python is not compiled: it stays where the sources are.
const SCRIPT = fileURLToPath(new URL('../../../benchmarks/peers/duckdb_peer.py', import.meta.url));

export interface DuckQuery {
  readonly query: string;
  /** The file that the query writes, which is flushed. */
  readonly output: string;
  readonly memory: string;
  readonly threads: number;
  /** For what does not fit, and for the query itself. */
  readonly folder: string;
}

/** DuckDB, in a process of its own for every query. */
export class DuckDb {
  readonly #python: string;
  version = '';

  private constructor(python: string) {
    this.#python = python;
  }

  /** Or why there is none. */
  static find(log: (line: string) => void): DuckDb | { readonly missing: string } {
    const found = pythonEnvironment(DUCKDB, log);
    return 'missing' in found ? found : new DuckDb(found.python);
  }

  /** @returns seconds, through the flush of the output. @throws Error where the query fails or is killed */
  async run(wall: MemoryWall, { query, output, memory, threads, folder }: DuckQuery): Promise<number> {
    const job = join(folder, 'duckdb.json');
    const settings = { memory_limit: memory, threads: String(threads), temp_directory: join(folder, 'duckdb-temp') };
    writeFileSync(job, JSON.stringify({ query, output, settings }));
    const { stdout } = await wall.run('sh', ['-c', '"$0" "$1" < "$2"', this.#python, SCRIPT, job]);
    const { duckdb, seconds } = JSON.parse(stdout) as { duckdb: string; seconds: number };
    this.version = duckdb;
    return seconds;
  }
}

/** A text for SQL. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
