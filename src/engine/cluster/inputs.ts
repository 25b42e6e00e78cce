import { existsSync, type Stats, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { PlanInput } from '../../core/contracts/definition.js';
import { DafError } from '../../core/contracts/errors.js';
import { versionOfFile } from '../../core/file-version.js';
import { EVERYTHING, type Filter, filterOf, isPattern, splitPattern } from './patterns.js';
import { isS3Url, listS3, refuseS3 } from './s3-inputs.js';

/** A file to read, under the name by which the user knows it. */
export interface InputFile {
  readonly name: string;
  /** Absolute, or the URL of an object. */
  readonly path: string;
  readonly bytes: number;
  /** See SplitPiece. */
  readonly version: string | null;
  /** A folder that cannot be listed: a task of a job over whole files refuses it, like a file that cannot be read. */
  readonly unreadable: boolean;
}

/**
 * Files of paths, directories (everything below, hidden files too) and globs, in the order given; within one of them by the bytes of their
 * names. A file's name is its path as typed: what a glob or a directory adds is appended to the typed part. `s3://…` inputs are objects.
 * @throws DafError ERR_DAF_NO_INPUT when one of them gives nothing.
 */
export async function* listInputs(inputs: readonly string[], cwd: string): AsyncGenerator<InputFile> {
  for (const input of inputs) {
    let any = false;
    for await (const file of isS3Url(input) ? listS3(input) : listOne(input, cwd)) {
      any = true;
      yield file;
    }
    if (!any) throw noInput(input);
  }
}

/** The inputs of a job that plans for itself: paths stay as they are, patterns become files. @throws DafError ERR_DAF_NO_INPUT */
export async function namedInputs(inputs: readonly string[], cwd: string): Promise<PlanInput[]> {
  const named: PlanInput[] = [];
  for (const input of inputs) {
    refuseS3(input);
    const path = resolve(cwd, input);
    if (existsSync(path)) named.push({ name: input, path });
    else for await (const file of listInputs([input], cwd)) named.push({ name: file.name, path: file.path });
  }
  return named;
}

async function* listOne(input: string, cwd: string): AsyncGenerator<InputFile> {
  const path = resolve(cwd, input);
  // A file may well have a name that looks like a pattern.
  if (existsSync(path)) {
    if (statSync(path).isDirectory()) yield* walk(path, input.endsWith('/') ? input : `${input}/`, '', EVERYTHING);
    else yield describe(path, input);
    return;
  }
  if (!isPattern(input)) throw noInput(input);
  const { base, pattern } = splitPattern(input);
  const found: InputFile[] = [];
  for await (const file of walk(resolve(cwd, base), base, '', filterOf(pattern))) found.push(file);
  yield* found.sort((a, b) => compareBytes(a.name, b.name));
}

async function* walk(folder: string, name: string, below: string, filter: Filter): AsyncGenerator<InputFile> {
  let entries: { readonly name: string; isDirectory(): boolean; isFile(): boolean; isSymbolicLink(): boolean }[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    refuseLossy(folder, error);
    const { code } = error as { code?: unknown };
    if (code === 'ENOENT' || code === 'ENOTDIR') return; // nothing is there that could match
    yield { name: name.replace(/\/$/, ''), path: folder, bytes: 0, version: null, unreadable: true };
    return;
  }
  for (const entry of entries.sort((a, b) => compareBytes(a.name, b.name))) {
    const path = `${folder}/${entry.name}`;
    const at = below + entry.name;
    if (entry.isDirectory()) {
      if (filter.enters(at)) yield* walk(path, `${name}${entry.name}/`, `${at}/`, filter);
    } else if (filter.takes(at) && (entry.isFile() || (entry.isSymbolicLink() && pointsToFile(path)))) {
      yield describe(path, name + entry.name);
    }
  }
}

/** Links to directories are not followed: they may lead in circles. */
function pointsToFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function describe(path: string, name: string): InputFile {
  let stat: Stats;
  try {
    stat = statSync(path);
  } catch (error) {
    refuseLossy(path, error);
    throw error;
  }
  if (!stat.isFile()) throw new DafError('ERR_DAF_BAD_ARGUMENT', `input ${name} is neither a file nor a directory`);
  return { name, path, bytes: stat.size, version: versionOfFile(stat), unreadable: false };
}

/** What Node puts for bytes that are no UTF-8; a file is not found by it. */
const LOSSY = '\ufffd';

/** @throws DafError ERR_DAF_UNSUPPORTED where a path is not found because it was read from bytes that are no UTF-8 */
function refuseLossy(path: string, error: unknown): void {
  if (!path.includes(LOSSY) || (error as { code?: unknown }).code !== 'ENOENT') return;
  throw new DafError('ERR_DAF_UNSUPPORTED', `the name of ${JSON.stringify(path)} is not UTF-8`, {
    hint: 'rename it (convmv does many at once): names of inputs go into results, which are text',
    cause: error,
  });
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function noInput(input: string): DafError {
  const hint = input.includes(LOSSY)
    ? 'names of inputs have to be UTF-8: rename it'
    : 'quote patterns, so that they reach daf as typed';
  return new DafError('ERR_DAF_NO_INPUT', `no input file: ${input}`, { hint });
}
