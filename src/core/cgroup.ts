import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';

export interface MemoryLimit {
  readonly bytes: number;
  /** The file that says so; null: this machine has no more. */
  readonly source: string | null;
}

/** The least of physical memory and every cgroup limit (v1 or v2) that this process stands under. */
export function memoryLimit(root = '/'): MemoryLimit {
  let least: MemoryLimit = { bytes: totalmem(), source: null };
  for (const file of limitFiles(root)) {
    const bytes = readLimit(file);
    if (bytes !== null && bytes < least.bytes) least = { bytes, source: file };
  }
  return least;
}

/** The limit files of this process's group and of all groups above it; a limit anywhere above counts as well. */
function limitFiles(root: string): string[] {
  const files: string[] = [];
  for (const line of read(join(root, 'proc/self/cgroup'))?.split('\n') ?? []) {
    const match = /^(\d+):([^:]*):(\/.*)$/.exec(line);
    if (match === null) continue;
    const [, number, controllers, path] = match as unknown as [string, string, string, string];
    if (number === '0' && controllers === '') {
      for (const base of ['sys/fs/cgroup', 'sys/fs/cgroup/unified']) files.push(...above(join(root, base), path, 'memory.max'));
    } else if (controllers.split(',').includes('memory')) {
      files.push(...above(join(root, 'sys/fs/cgroup/memory'), path, 'memory.limit_in_bytes'));
    }
  }
  return files;
}

/** In a container the path may be the host's and not exist here; the mount's own root then holds the container's limit. */
function above(mount: string, path: string, name: string): string[] {
  const files: string[] = [];
  for (let at = path; at !== '/' && at !== '.'; at = dirname(at)) files.push(join(mount, at, name));
  files.push(join(mount, name));
  return files;
}

function readLimit(file: string): number | null {
  const text = read(file)?.trim();
  if (text === undefined || !/^\d+$/.test(text)) return null; // "max", or no such file
  return Number(text);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}
