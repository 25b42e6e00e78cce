import { rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { temporaryFolder } from '../../core/temporary.js';
import { setMain } from '../jobs/define.js';
import { bundleProgram } from './bundle.js';
import { registerSource } from './code.js';

/** Runs a TypeScript or JavaScript file as the program: isMain is true in it. Resolves when its top level has. */
export async function runProgram(file: string): Promise<void> {
  const path = resolve(file);
  const text = await bundleProgram(path);
  const folder = temporaryFolder('run');
  try {
    const program = join(folder, `${basename(path).replace(/\.[^.]+$/, '')}.mjs`);
    await writeFile(program, text);
    const { href } = pathToFileURL(program);
    setMain(href);
    registerSource(href, path); // what it submits is bundled from the file it was written as
    await import(href);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
