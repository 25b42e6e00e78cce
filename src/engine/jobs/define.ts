import { realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import type { JobDefinition } from '../../core/contracts/definition.js';
import { DafError } from '../../core/contracts/errors.js';
import { checkKeys } from '../../core/options/index.js';

const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const KEYS = [
  'name',
  'module',
  'text',
  'input',
  'output',
  'plan',
  'map',
  'combine',
  'reduce',
  'finalize',
  'partition',
  'external',
  'deterministic',
  'memory',
] as const;
const FUNCTIONS = ['plan', 'map', 'combine', 'reduce', 'finalize', 'partition'] as const;

/**
 * Says what a job is: the default export of a job module.
 *
 * ```ts
 * export default defineJob({
 *   name: 'wordcount',
 *   module: import.meta.url,
 *   map({ value }, emit) { for (const word of value.match(/[A-Za-z]+/g) ?? []) emit(word, '1'); },
 *   reduce(word, ones, emit) { let n = 0; for (const one of ones) n += Number(one); emit(word, String(n)); },
 * });
 * ```
 * @throws DafError ERR_DAF_BAD_JOB
 */
export function defineJob(definition: JobDefinition<true>): JobDefinition<true>;
export function defineJob(definition: JobDefinition<false> & { readonly text: false }): JobDefinition<false>;
export function defineJob<Text extends boolean>(definition: JobDefinition<Text>): JobDefinition<Text> {
  return Object.freeze({ ...checkDefinition(definition) }) as JobDefinition<Text>;
}

/** Checks what a module or a caller gave as a job. @throws DafError ERR_DAF_BAD_JOB */
export function checkDefinition(value: unknown): JobDefinition {
  if (typeof value !== 'object' || value === null) {
    throw badJob('the job is not an object', 'export default defineJob({ name, map, reduce })');
  }
  const job = value as Record<string, unknown>;
  try {
    checkKeys('a job', job, KEYS);
  } catch (error) {
    const { message, hint } = DafError.from(error);
    throw badJob(message, hint);
  }
  if (typeof job['name'] !== 'string' || !NAME.test(job['name'])) {
    throw badJob('a job needs a name', 'letters, digits, ".", "_" and "-", at most 64');
  }
  if (typeof job['map'] !== 'function') throw badJob(`${job['name']}: map is not a function`);
  for (const name of FUNCTIONS) {
    if (job[name] !== undefined && typeof job[name] !== 'function') throw badJob(`${job['name']}: ${name} is not a function`);
  }
  if (job['combine'] !== undefined && job['reduce'] === undefined) {
    throw badJob(`${job['name']}: combine without reduce`, 'a map-only job has nothing to combine for');
  }
  if (job['module'] !== undefined && typeof job['module'] !== 'string') {
    throw badJob(`${job['name']}: module is not a URL`, 'module: import.meta.url');
  }
  return job as unknown as JobDefinition;
}

// Marks that two copies of the package (the user's and the worker's) share.
const IN_WORKER = Symbol.for('daf.in-worker');
const MAIN = Symbol.for('daf.main');
const shared = globalThis as { [IN_WORKER]?: boolean; [MAIN]?: string };

/**
 * True in the file that was started as the program; false where it was imported, and always false inside workers.
 * A file that both defines and submits a job guards the latter with `if (isMain(import.meta))`.
 */
export function isMain(meta: { readonly url: string }): boolean {
  if (!isMainThread || inWorker()) return false;
  if (shared[MAIN] !== undefined) return shared[MAIN] === meta.url;
  const program = process.argv[1];
  if (program === undefined) return false;
  try {
    return pathToFileURL(realpathSync(program)).href === meta.url;
  } catch {
    return false;
  }
}

/** `daf run` starts a program under another URL than its file's. */
export function setMain(url: string): void {
  shared[MAIN] = url;
}

/** Called by a worker's threads before they load any job. */
export function enterWorker(): void {
  shared[IN_WORKER] = true;
}

export function inWorker(): boolean {
  return shared[IN_WORKER] === true;
}

/** @throws DafError ERR_DAF_IN_WORKER inside a worker. */
export function refuseInWorker(what: string): void {
  if (!inWorker()) return;
  throw new DafError('ERR_DAF_IN_WORKER', `${what} was called inside a worker, while the job's module was loaded or run`, {
    hint: 'guard the part of the file that submits: if (isMain(import.meta)) { … }',
  });
}

function badJob(message: string, hint?: string): DafError {
  return new DafError('ERR_DAF_BAD_JOB', message, { hint });
}
