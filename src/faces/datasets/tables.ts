import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DafError } from '../../core/contracts/errors.js';

/** A line of an annotation file: the photo's name, then its columns. */
export interface Row {
  readonly name: string;
  readonly values: readonly string[];
  /** From 1. */
  readonly line: number;
}

/** The first of the places where a file or folder is. */
export async function findBelow(root: string, folders: readonly string[], name: string): Promise<string | null> {
  for (const folder of folders) {
    const path = join(root, folder, name);
    if ((await stat(path).catch(() => null)) !== null) return path;
  }
  return null;
}

/** Lines of a text file, read as they are needed. @throws DafError ERR_DAF_NOT_FOUND, ERR_DAF_PERMISSION, ERR_DAF_IO. */
export async function* linesOf(file: string): AsyncGenerator<{ text: string; line: number }> {
  const stream = createReadStream(file, { encoding: 'utf8' });
  const reader = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  let failure: unknown;
  stream.on('error', (error) => {
    failure = error;
    reader.close();
  });
  let line = 0;
  try {
    for await (const text of reader) yield { text, line: ++line };
    if (failure !== undefined) throw DafError.from(failure, 'ERR_DAF_IO');
  } finally {
    reader.close();
    stream.destroy();
  }
}

export interface TableShape {
  /** Number of columns after the name; null: as many as the header names. */
  readonly columns: number | null;
  /** CelebA's lists begin with the number of lines and the names of the columns. */
  readonly header: boolean;
}

/**
 * The rows of one of CelebA's lists, and its column names first. Names must rise, so that lists can be read side by side and a name that
 * comes twice is found.
 * @throws DafError ERR_DAF_BAD_DATA with file and line: a wrong number of columns or lines, names that do not rise.
 */
export async function* tableRows(
  file: string,
  { columns, header }: TableShape,
  onColumns?: (names: readonly string[]) => void,
): AsyncGenerator<Row> {
  let promised: number | null = null;
  let width = columns;
  let rows = 0;
  let last = '';
  for await (const { text, line } of linesOf(file)) {
    const words = text.trim().split(/\s+/);
    if (header && line === 1) {
      promised = /^\d+$/.test(text.trim()) ? Number(text) : null;
      if (promised === null) throw damaged(file, line, `"${text.slice(0, 40)}" is not the number of lines`);
      continue;
    }
    if (header && line === 2) {
      const names = words[0] === 'image_id' ? words.slice(1) : words;
      width ??= names.length;
      if (names.length !== width) throw damaged(file, line, `${names.length} names of columns, expected ${width}`);
      onColumns?.(names);
      continue;
    }
    if (text.trim() === '') continue;
    const [name, ...values] = words as [string, ...string[]];
    if (values.length !== width) throw damaged(file, line, `${values.length} columns after the name, expected ${width}`);
    if (name === last) throw damaged(file, line, `${name} comes twice`);
    if (name < last) throw damaged(file, line, `${name} comes after ${last}: names must rise (sort the lines)`);
    last = name;
    rows += 1;
    yield { name, values, line };
  }
  if (promised !== null && promised !== rows) throw damaged(file, 1, `says ${promised} lines and has ${rows}`);
}

export function damaged(file: string, line: number, what: string): DafError {
  return new DafError('ERR_DAF_BAD_DATA', `${file}:${line}: ${what}`, { hint: 'fetch the annotations again' });
}

/** @throws DafError ERR_DAF_BAD_DATA where a column is no number. */
export function numbersOf(file: string, row: Row): number[] {
  return row.values.map((value) => {
    const number = Number(value);
    if (!Number.isFinite(number)) throw damaged(file, row.line, `"${value}" is not a number`);
    return number;
  });
}

/** One list read beside another: `at(name)` gives the row of that name and what lies before it unasked. */
export class Beside {
  readonly #rows: AsyncGenerator<Row>;
  #next: Row | null | undefined;

  constructor(rows: AsyncGenerator<Row>) {
    this.#rows = rows;
  }

  /** Names must rise from call to call; null takes the rest. */
  async at(name: string | null): Promise<{ row: Row | null; passed: Row[] }> {
    const passed: Row[] = [];
    for (;;) {
      if (this.#next === undefined) this.#next = (await this.#rows.next()).value ?? null;
      const next = this.#next as Row | null;
      if (next === null || (name !== null && next.name > name)) return { row: null, passed };
      this.#next = undefined;
      if (next.name === name) return { row: next, passed };
      passed.push(next);
    }
  }
}
