import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Invariant } from './invariants.js';

// Beside the sources: it is not compiled.
const MODEL = fileURLToPath(new URL('../../../src/testing/simulation/commit.pml', import.meta.url));

export interface Search {
  /** What was found broken; null after a whole search without a find. */
  readonly broken: Invariant | null;
  /** The search saw all states there are. */
  readonly complete: boolean;
  readonly states: number;
  /** What the checker said. */
  readonly output: string;
}

/** Why the model cannot be checked here; false when it can. */
export function lacking(): string | false {
  const missing = ['spin', 'gcc'].filter((program) => !onPath(program));
  return missing.length === 0 ? false : `without ${missing.join(' and ')} (Debian: spin, gcc)`;
}

function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** Names of the invariants that the model asserts. */
export function assertedInvariants(): string[] {
  const text = readFileSync(MODEL, 'utf8');
  return [...new Set([...text.matchAll(/holds\((\w+),/g)].map(([, name]) => name!.replaceAll('_', '-')))].filter(
    (name) => name !== 'invariant',
  );
}

/**
 * Searches the states of the commit protocol's model.
 * @param folder for what spin makes
 * @param defines of the model, e.g. FAULTS=1, NO_EPOCH_FENCE
 */
export function checkModel(folder: string, defines: readonly string[]): Search {
  const run = (program: string, ...args: string[]): string => {
    const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 });
    if (error !== undefined || status !== 0) throw new Error(`${program} ended with ${status}: ${stdout}${stderr}${error ?? ''}`);
    return stdout;
  };
  run('spin', ...defines.map((define) => `-D${define}`), '-a', MODEL);
  // Unoptimised: of so much code the compiler makes a minute's work, several times what it spares the small searches.
  run('gcc', '-O0', '-w', '-DSAFETY', '-DCOLLAPSE', '-DMEMLIM=6000', '-o', 'pan', 'pan.c');
  const output = run(join(folder, 'pan'), '-m1000000', '-n');
  const violated = /assertion violated (\w+)/.exec(output)?.[1]?.replaceAll('_', '-') as Invariant | undefined;
  const stuck = /^pan:\d+: invalid end state/m.test(output);
  return {
    // All runs are finite, so one that ends in anything but waiting has stopped where it should not.
    broken: violated ?? (stuck ? 'progress' : null),
    complete: /errors: 0/.test(output) && !/Search not completed|max search depth too small/.test(output),
    states: Number(/(\d+) states, stored/.exec(output)?.[1] ?? Number.NaN),
    output,
  };
}
