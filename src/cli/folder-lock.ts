import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { DafError } from '../core/contracts/errors.js';

/** Who holds a lock, as its file says. */
interface Holder {
  readonly pid: number;
  readonly host: string;
}

/**
 * Takes a file that one process may hold at a time; one whose process is gone is taken over.
 * @param file in a folder that is there.
 * @param what the process does, for the message: "making this set".
 * @returns gives it back.
 * @throws DafError ERR_DAF_CONFLICT while another process holds it.
 */
export function takeLock(file: string, what: string): () => void {
  const text = JSON.stringify({ pid: process.pid, host: hostname() } satisfies Holder);
  if (!written(file, text)) {
    const held = readFileSync(file, 'utf8');
    if (isAlive(held)) throw conflict(file, what, held);
    moveAway(file, held, what);
    if (!written(file, text)) throw conflict(file, what, readFileSync(file, 'utf8'));
  }
  return () => rmSync(file, { force: true });
}

function written(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw DafError.from(error);
  }
}

/** Renaming is what only one of several takers can do; who finds that it moved a newer lock puts it back. */
function moveAway(file: string, stale: string, what: string): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return; // another one was quicker: it holds the lock now, or gave it back
  }
  const moved = readFileSync(aside, 'utf8');
  try {
    if (moved === stale) return;
    linkSync(aside, file);
    throw conflict(file, what, moved);
  } finally {
    rmSync(aside, { force: true });
  }
}

/** A process of another host is taken to be alive: nobody here can tell. */
function isAlive(text: string): boolean {
  let holder: Partial<Holder>;
  try {
    holder = JSON.parse(text) as Partial<Holder>;
  } catch {
    return false; // cut off while it was written
  }
  if (holder.host !== hostname() || typeof holder.pid !== 'number') return true;
  try {
    process.kill(holder.pid, 0);
    return holder.pid !== process.pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function conflict(file: string, what: string, held: string): DafError {
  return new DafError('ERR_DAF_CONFLICT', `another process is ${what}: ${held}`, {
    hint: `wait for it, or end it; remove ${file} only where it is certain to be gone`,
  });
}
