import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statfsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const GB = 2 ** 30;
const INSTALL_MILLISECONDS = 30 * 60_000;

/** A Python that has what a peer needs, or why there is none. */
export type PythonEnvironment = { readonly python: string } | { readonly missing: string };

export interface PythonNeeds {
  /** What has to be importable, by which the environment is named. */
  readonly module: string;
  readonly packages: readonly string[];
  /** Free space without which nothing is installed. */
  readonly bytes: number;
  /** Environment variable that names a Python which has it already. */
  readonly variable: string;
}

/** PyTorch. The package index may only have the build for graphics cards, which brings their libraries along. */
export const TORCH: PythonNeeds = { module: 'torch', packages: ['torch', 'numpy'], bytes: 8 * GB, variable: 'DAF_BENCH_TORCH' };
export const DUCKDB: PythonNeeds = { module: 'duckdb', packages: ['duckdb'], bytes: GB / 4, variable: 'DAF_BENCH_DUCKDB' };

/**
 * A virtual environment of the benchmark's own, with packages by their names alone: kept in the user's cache (or DAF_BENCH_CACHE), so that they
 * are downloaded once.
 */
export function pythonEnvironment(
  { module, packages, bytes, variable }: PythonNeeds,
  log: (line: string) => void,
): PythonEnvironment {
  const given = process.env[variable];
  if (given !== undefined)
    return imports(given, module) ? { python: given } : { missing: `${variable}=${given} cannot import ${module}` };
  const cache = process.env['DAF_BENCH_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'daf-bench');
  const folder = join(cache, module);
  const python = join(folder, 'bin', 'python');
  if (existsSync(python) && imports(python, module)) return { python };

  mkdirSync(cache, { recursive: true });
  const { bavail, bsize } = statfsSync(cache);
  if (bavail * bsize < bytes)
    return { missing: `${cache} has ${((bavail * bsize) / GB).toFixed(1)} GB free, ${bytes / GB} are needed` };
  rmSync(folder, { recursive: true, force: true });
  log(`installing ${packages.join(', ')} in ${folder}, once`);
  const failure =
    attempt('python3', ['-m', 'venv', folder]) ??
    attempt(python, ['-m', 'pip', 'install', '--quiet', '--no-cache-dir', ...packages]) ??
    (imports(python, module) ? null : `${module} is installed but cannot be imported`);
  if (failure === null) return { python };
  rmSync(folder, { recursive: true, force: true });
  return { missing: failure };
}

function imports(python: string, module: string): boolean {
  return spawnSync(python, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0;
}

/** @returns what went wrong, in a line; null where nothing did */
function attempt(command: string, args: readonly string[]): string | null {
  const ran = spawnSync(command, args, { encoding: 'utf8', timeout: INSTALL_MILLISECONDS });
  if (ran.status === 0) return null;
  const why = ran.error?.message ?? ran.stderr.trim().split('\n').at(-1) ?? '';
  return `${command} ${args.slice(0, 3).join(' ')}: ${why}`;
}
