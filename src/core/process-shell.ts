import { writeSync } from 'node:fs';
import type { ProcessLine } from './contracts/process.js';

const POLL_MS = 1000;

/** Writes a line for the process that started this one. A reader that has gone is not an error. */
export function writeProcessLine(fd: number | null, line: ProcessLine): void {
  if (fd === null) return;
  try {
    writeSync(fd, `${JSON.stringify(line)}\n`);
  } catch {
    // Nobody reads: the parent has gone, and watchParent says so.
  }
}

/**
 * Calls `onGone` once the process `pid` has ended; returns a function that stops watching. A parent that was killed cannot tell its
 * children, so they look.
 */
export function watchParent(pid: number | null, onGone: () => void): () => void {
  if (pid === null) return () => {};
  const timer = setInterval(() => {
    if (isAlive(pid)) return;
    clearInterval(timer);
    onGone();
  }, POLL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

const firstParent = process.ppid;

/** A direct child sees its parent change at once (a zombie's or reused number would deceive); others ask the kernel. */
function isAlive(pid: number): boolean {
  if (process.ppid === pid) return true;
  if (firstParent === pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
