import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MemoryWall, Walled } from './wall.js';

/** The command as users start it. */
export const DAF = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

export interface DafRun extends Walled {
  /** Largest anonymous + shared memory of a single process, as report.json says. */
  readonly processBytes: number;
}

/** `daf run` from its start to its end: launcher, coordinator, workers, published and flushed output. */
export async function dafRun(wall: MemoryWall, args: readonly string[], output: string): Promise<DafRun> {
  const ran = await wall.run(process.execPath, [DAF, 'run', ...args, '--output', output, '--json']);
  const report = JSON.parse(readFileSync(join(output, 'report.json'), 'utf8')) as { peakBytes: number };
  return { ...ran, processBytes: report.peakBytes };
}

/** The parts of a result, in their order. */
export function partFiles(output: string): string[] {
  if (!existsSync(output)) return [];
  return readdirSync(output)
    .filter((file) => file.startsWith('part-'))
    .sort()
    .map((file) => join(output, file));
}
