import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statfsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const GB = 2 ** 30;
/** The package index may only have the build for graphics cards, which brings their libraries along. */
const NEEDED_BYTES = 8 * GB;
const INSTALL_MILLISECONDS = 30 * 60_000;

/** The Python that has PyTorch, or why there is none. */
export type TorchEnvironment = { readonly python: string } | { readonly missing: string };

/**
 * A virtual environment of the benchmark's own, with torch by its name alone: kept in the user's cache (or DAF_BENCH_CACHE), so that it is
 * downloaded once. `DAF_BENCH_TORCH` names a Python that has torch already.
 */
export function torchEnvironment(log: (line: string) => void): TorchEnvironment {
  const given = process.env['DAF_BENCH_TORCH'];
  if (given !== undefined)
    return imports(given) ? { python: given } : { missing: `DAF_BENCH_TORCH=${given} cannot import torch` };
  const cache = process.env['DAF_BENCH_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'daf-bench');
  const folder = join(cache, 'torch');
  const python = join(folder, 'bin', 'python');
  if (existsSync(python) && imports(python)) return { python };

  mkdirSync(cache, { recursive: true });
  const { bavail, bsize } = statfsSync(cache);
  if (bavail * bsize < NEEDED_BYTES)
    return { missing: `${cache} has ${((bavail * bsize) / GB).toFixed(1)} GB free, ${NEEDED_BYTES / GB} are needed` };
  rmSync(folder, { recursive: true, force: true });
  log(`installing torch in ${folder}; once, a few GB`);
  const failure =
    attempt('python3', ['-m', 'venv', folder]) ??
    attempt(python, ['-m', 'pip', 'install', '--quiet', '--no-cache-dir', 'torch', 'numpy']) ??
    (imports(python) ? null : 'torch is installed but cannot be imported');
  if (failure === null) return { python };
  rmSync(folder, { recursive: true, force: true });
  return { missing: failure };
}

function imports(python: string): boolean {
  return spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0;
}

/** @returns what went wrong, in a line; null where nothing did */
function attempt(command: string, args: readonly string[]): string | null {
  const ran = spawnSync(command, args, { encoding: 'utf8', timeout: INSTALL_MILLISECONDS });
  if (ran.status === 0) return null;
  const why = ran.error?.message ?? ran.stderr.trim().split('\n').at(-1) ?? '';
  return `${command} ${args.slice(0, 3).join(' ')}: ${why}`;
}
