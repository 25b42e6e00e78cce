import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/** What has been looked for already by this process: `base/purpose`. */
const swept = new Set<string>();
const goneAtExit = new Set<string>();
let place: string | null = null;

/**
 * A fresh folder that only this user can enter, named after its owner: `daf-<purpose>-<machine>-<process>-…`. What a process that was killed
 * left behind can so be told from what is in use; it goes when the next one asks for a folder of that purpose.
 * @param purpose lower-case letters
 * @throws the system's error where `base` cannot be written
 */
export function temporaryFolder(purpose: string, base = tmpdir()): string {
  if (!swept.has(`${base}/${purpose}`)) {
    swept.add(`${base}/${purpose}`);
    removeAbandoned(purpose, base);
  }
  return mkdtempSync(join(base, `daf-${purpose}-${machine()}-${process.pid}-`));
}

/** Has a folder removed when this process ends by itself, in whatever way. The returned function removes it earlier. */
export function removedAtExit(folder: string): () => void {
  if (goneAtExit.size === 0) process.once('exit', removeAll);
  goneAtExit.add(folder);
  return () => {
    goneAtExit.delete(folder);
    if (goneAtExit.size === 0) process.off('exit', removeAll);
    rmSync(folder, { recursive: true, force: true });
  };
}

function removeAll(): void {
  for (const folder of goneAtExit) rmSync(folder, { recursive: true, force: true });
}

function removeAbandoned(purpose: string, base: string): void {
  const mine = new RegExp(`^daf-${purpose}-${machine()}-(\\d+)-`);
  let names: string[] = [];
  try {
    names = readdirSync(base);
  } catch {
    // A folder that may be written and not be read: then others see to it, or nobody.
  }
  for (const name of names) {
    const owner = mine.exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    try {
      rmSync(join(base, name), { recursive: true, force: true });
    } catch {
      // Another user's, or another process removes it at this moment.
    }
  }
}

/** Where a process number means one process: containers may share a folder for temporary files and not their processes. */
function machine(): string {
  if (place !== null) return place;
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Not Linux: the name has to do.
  }
  place = createHash('sha256').update(`${hostname()}\0${namespace}`).digest('hex').slice(0, 8);
  return place;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
