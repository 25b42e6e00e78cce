import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Peaks } from './peaks.js';
import type { MemoryWall, Walled } from './wall.js';

/** The command as users start it. */
export const DAF = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

/** `daf run` from its start to its end: launcher, coordinator, workers, published and flushed output. */
export async function dafRun(wall: MemoryWall, args: readonly string[], output: string, peaks: Peaks): Promise<Walled> {
  const ran = await wall.run(process.execPath, [DAF, 'run', ...args, '--output', output, '--json']);
  peaks.noteReport(output);
  return ran;
}

/** The parts of a result, in their order. */
export function partFiles(output: string): string[] {
  if (!existsSync(output)) return [];
  return readdirSync(output)
    .filter((file) => file.startsWith('part-'))
    .sort()
    .map((file) => join(output, file));
}
