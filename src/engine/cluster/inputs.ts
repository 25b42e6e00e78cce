import { existsSync, lstatSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import type { PlanInput } from '../../core/contracts/definition.js';
import { DafError } from '../../core/contracts/errors.js';
import { versionOfFile } from '../../core/file-version.js';
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
    if (statSync(path).isDirectory()) yield* walk(path, input.endsWith('/') ? input : `${input}/`);
    else yield describe(path, input);
    return;
  }
  if (!isDynamicPattern(input)) throw noInput(input);
  const { base, pattern } = splitPattern(input);
  const cwdOfPattern = resolve(cwd, base);
  // A final `**` alone would match no file with a line break in its name.
  const ofFiles = /(^|\/)\*\*$/.test(pattern) ? `${pattern}/*` : pattern;
  const found = await glob(ofFiles, { cwd: cwdOfPattern, onlyFiles: true, expandDirectories: false });
  const links = new Map<string, boolean>();
  for (const match of sorted(found)) {
    if (!throughLink(cwdOfPattern, match, links)) yield describe(resolve(cwdOfPattern, match), base + match);
  }
}

/** True for a match below a linked directory: such links are not entered, they may lead in circles. */
function throughLink(base: string, match: string, known: Map<string, boolean>): boolean {
  for (let slash = match.indexOf('/'); slash >= 0; slash = match.indexOf('/', slash + 1)) {
    const folder = match.slice(0, slash);
    let link = known.get(folder);
    if (link === undefined) {
      link = lstatSync(resolve(base, folder)).isSymbolicLink();
      known.set(folder, link);
    }
    if (link) return true;
  }
  return false;
}

/** `../a/pg-*.txt` → `../a/` as typed, and the pattern below it. */
function splitPattern(input: string): { base: string; pattern: string } {
  const parts = input.split('/');
  const first = parts.findIndex((part) => isDynamicPattern(part));
  const fixed = parts.slice(0, first);
  return { base: fixed.length === 0 ? '' : `${fixed.join('/')}/`, pattern: parts.slice(first).join('/') };
}

async function* walk(folder: string, name: string): AsyncGenerator<InputFile> {
  let entries: { readonly name: string; isDirectory(): boolean; isFile(): boolean; isSymbolicLink(): boolean }[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch {
    yield { name: name.replace(/\/$/, ''), path: folder, bytes: 0, version: null, unreadable: true };
    return;
  }
  const kinds = new Map(entries.map((entry) => [entry.name, entry]));
  for (const each of sorted([...kinds.keys()])) {
    const entry = kinds.get(each)!;
    const path = `${folder}/${each}`;
    if (entry.isDirectory()) yield* walk(path, `${name}${each}/`);
    else if (entry.isFile() || (entry.isSymbolicLink() && pointsToFile(path))) yield describe(path, name + each);
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
  const stat = statSync(path);
  if (!stat.isFile()) throw new DafError('ERR_DAF_BAD_ARGUMENT', `input ${name} is neither a file nor a directory`);
  return { name, path, bytes: stat.size, version: versionOfFile(stat), unreadable: false };
}

function sorted(names: readonly string[]): string[] {
  return [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function noInput(input: string): DafError {
  return new DafError('ERR_DAF_NO_INPUT', `no input file: ${input}`, { hint: 'quote patterns, so that they reach daf as typed' });
}
