import { realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import type { JobDefinition } from '../../core/contracts/definition.js';
import { DafError } from '../../core/contracts/errors.js';
import { MAX_KEY_BYTES } from '../../core/contracts/record.js';
import { checkKeys } from '../../core/options/index.js';

const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const KEYS = [
  'name',
  'module',
  'text',
  'check',
  'input',
  'output',
  'plan',
  'steps',
  'finalize',
  'external',
  'deterministic',
  'idempotent',
] as const;
const CODE_KEYS = [
  'map',
  'mapBlocks',
  'combine',
  'reduce',
  'reduceGroups',
  'partition',
  'order',
  'groupPrefix',
  'memory',
] as const;
const STEP_KEYS = ['name', 'from', 'given', 'reducers', ...CODE_KEYS] as const;
const FUNCTIONS = ['map', 'mapBlocks', 'combine', 'reduce', 'reduceGroups', 'partition'] as const;

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
    checkKeys('a job', job, job['steps'] === undefined ? [...KEYS, ...CODE_KEYS] : KEYS);
  } catch (error) {
    const { message, hint } = DafError.from(error);
    throw badJob(message, hint);
  }
  if (typeof job['name'] !== 'string' || !NAME.test(job['name'])) {
    throw badJob('a job needs a name', 'letters, digits, ".", "_" and "-", at most 64');
  }
  for (const name of ['check', 'plan', 'finalize']) {
    if (job[name] !== undefined && typeof job[name] !== 'function') throw badJob(`${job['name']}: ${name} is not a function`);
  }
  if (job['steps'] === undefined) checkCode(job['name'], job);
  else checkSteps(job['name'], job['steps']);
  if (job['module'] !== undefined && typeof job['module'] !== 'string') {
    throw badJob(`${job['name']}: module is not a URL`, 'module: import.meta.url');
  }
  return job as unknown as JobDefinition;
}

function checkSteps(job: string, steps: unknown): void {
  if (!Array.isArray(steps) || steps.length === 0) throw badJob(`${job}: steps is not a list of steps`);
  for (const step of steps as unknown[]) {
    if (typeof step !== 'object' || step === null) throw badJob(`${job}: a step is not an object`);
    const { name } = step as { name?: unknown };
    if (typeof name !== 'string' || !NAME.test(name)) throw badJob(`${job}: a step needs a name`);
    try {
      checkKeys(`step ${name}`, step, STEP_KEYS);
    } catch (error) {
      const { message, hint } = DafError.from(error);
      throw badJob(`${job}: ${message}`, hint);
    }
    checkCode(`${job}: ${name}`, step as Record<string, unknown>);
  }
}

/** Checks the functions of a job with one step, or of a step. */
function checkCode(what: string, code: Readonly<Record<string, unknown>>): void {
  for (const name of FUNCTIONS) {
    if (code[name] !== undefined && typeof code[name] !== 'function') throw badJob(`${what}: ${name} is not a function`);
  }
  const has = (name: string): boolean => code[name] !== undefined;
  if (has('map') === has('mapBlocks')) throw badJob(`${what}: map is missing`, 'one of map and mapBlocks');
  if (has('reduce') && has('reduceGroups')) throw badJob(`${what}: reduce and reduceGroups`, 'one of them');
  const reduces = has('reduce') || has('reduceGroups');
  if (has('combine') && !reduces) {
    throw badJob(`${what}: combine without reduce`, 'a map-only job has nothing to combine for');
  }
  if (has('order')) {
    if (code['order'] !== 'total') throw badJob(`${what}: order is ${JSON.stringify(code['order'])}`, "order: 'total'");
    if (!reduces || has('partition')) throw badJob(`${what}: total order needs reduce and no partition of its own`);
  }
  const prefix = code['groupPrefix'] ?? 0;
  if (!Number.isInteger(prefix) || (prefix as number) < 0 || (prefix as number) > MAX_KEY_BYTES)
    throw badJob(`${what}: groupPrefix is not a number of bytes`);
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
