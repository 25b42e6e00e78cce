import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freshIpcEndpoint } from '#daf/engine/wire/index.js';

const BATCH = 32;
const LOOP = fileURLToPath(new URL('./bare-loop.js', import.meta.url));

/**
 * What this machine can do at all: tasks that do nothing through a ROUTER, two DEALERs of other processes, a piscina thread in each of these and
 * one lmdb record for each task, flushed before more is given out; 32 tasks a message, a hop and a transaction. No leases, no
 * attempts, no checks, no files: the limit that an engine of these parts can come near to.
 * @returns tasks a second
 */
export async function bareRate(folder: string, tasks: number): Promise<number> {
  const { endpoint, remove } = freshIpcEndpoint();
  mkdirSync(folder);
  const children: ChildProcess[] = [];
  const start = (...args: string[]): ChildProcess => {
    const child = spawn(process.execPath, [LOOP, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    return child;
  };
  try {
    const router = start('router', endpoint, join(folder, 'state'), String(tasks), String(BATCH));
    for (let i = 0; i < 2; i++) start('dealer', endpoint);
    for await (const line of createInterface({ input: router.stdout! })) return tasks / Number(line);
    throw new Error('the bare loop ended without an answer');
  } finally {
    for (const child of children) child.kill('SIGKILL');
    remove();
  }
}
