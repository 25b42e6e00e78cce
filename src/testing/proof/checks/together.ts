import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 20_000;

/**
 * Stands in `folder` under the number of this process, for `pauseMs`; the first ones until a second process has come, if one comes at all.
 * @returns how many processes stood there at the end, this one among them
 */
export async function standTogether(folder: string, pauseMs: number): Promise<number> {
  mkdirSync(folder, { recursive: true });
  const own = join(folder, String(process.pid));
  const met = `${folder}-met`;
  writeFileSync(own, '');
  await sleep(pauseMs);
  let there = readdirSync(folder).length;
  for (const begun = Date.now(); there < 2 && !existsSync(met) && Date.now() - begun < PATIENCE_MS; await sleep(5)) {
    there = readdirSync(folder).length;
  }
  if (there > 1) writeFileSync(met, '');
  rmSync(own);
  return there;
}
