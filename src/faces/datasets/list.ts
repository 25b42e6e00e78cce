import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import type { Box, FaceHint } from '../types.js';
import type { Dataset, DatasetEntry } from './dataset.js';
import { identityKeys } from './names.js';
import { damaged, linesOf } from './tables.js';

/** The list of a folder that is a data set. */
export const LIST_NAME = 'photos.jsonl';

/**
 * A list of photos, paths relative to it: lines `path<TAB>person`, or JSON lines (`.jsonl`) `{"path", "person"?, "box"?: [x, y, width, height],
 * "landmarks"?: 68 or 5 times [x, y], "attributes"?: {}}` in photo pixels from the corner. Without person a photo is its own. Empty lines and
 * those that begin with `#` are passed over. A folder stands for the {@link LIST_NAME} in it.
 * @throws DafError ERR_DAF_NOT_FOUND.
 */
export async function openList(input: string): Promise<Dataset> {
  const given = resolve(input);
  const file = (await stat(given).catch(() => null))?.isDirectory() ? join(given, LIST_NAME) : given;
  if (!(await stat(file).catch(() => null))?.isFile()) throw new DafError('ERR_DAF_NOT_FOUND', `${input} is no list of photos`);
  return { kind: 'list', entries: () => entries(file) };
}

/** They travel with the photo into its person's report. */
const MAX_ATTRIBUTES = 8192;

interface Line {
  readonly path: string;
  readonly person: string;
  readonly hint: FaceHint | null;
  readonly attributes: Record<string, string | number>;
}

async function* parsed(file: string): AsyncGenerator<Line> {
  const json = /\.jsonl$/i.test(file);
  for await (const { text, line } of linesOf(file)) {
    if (text.trim() === '' || text.startsWith('#')) continue;
    yield json ? jsonLine(file, line, text) : tabLine(file, line, text);
  }
}

function tabLine(file: string, line: number, text: string): Line {
  const [path, person, ...more] = text.split('\t');
  if (!path || more.length > 0 || person === '') throw damaged(file, line, 'is not "path" or "path<TAB>person"');
  return { path, person: person ?? personOf(path), hint: null, attributes: {} };
}

function personOf(path: string): string {
  return basename(path).replace(/\.[^.]+$/, '');
}

function jsonLine(file: string, line: number, text: string): Line {
  let value: { path?: unknown; person?: unknown; box?: unknown; landmarks?: unknown; attributes?: unknown } | null;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(file, line, `is not JSON: ${(cause as Error).message}`);
  }
  if (typeof value?.path !== 'string' || value.path === '') throw damaged(file, line, 'has no "path"');
  if (value.person !== undefined && (typeof value.person !== 'string' || value.person === ''))
    throw damaged(file, line, '"person" is no text');
  const { box, landmarks } = value;
  const boxed = Array.isArray(box) && box.length === 4 && box.every(Number.isFinite) && box[2] > 0 && box[3] > 0;
  if (box !== undefined && !boxed) throw damaged(file, line, '"box" is not [x, y, width, height]');
  const points = Array.isArray(landmarks) ? landmarks.flat() : [];
  const pointed = [10, 136].includes(points.length) && points.every(Number.isFinite);
  if (landmarks !== undefined && !pointed) throw damaged(file, line, '"landmarks" are not 68 or 5 times [x, y]');
  const [x, y, width, height] = (box ?? []) as number[];
  const asBox: Box | null = boxed ? { x: x!, y: y!, width: width!, height: height! } : null;
  const hint = {
    size: null,
    points68: points.length === 136 ? (points as number[]) : null,
    points5: points.length === 10 ? (points as number[]) : null,
    box: asBox,
  };
  const attributes = (value.attributes ?? {}) as Record<string, string | number>;
  const plain =
    typeof attributes === 'object' && Object.values(attributes).every((each) => ['string', 'number'].includes(typeof each));
  if (!plain || Array.isArray(attributes)) throw damaged(file, line, '"attributes" are not texts and numbers by name');
  if (JSON.stringify(attributes).length > MAX_ATTRIBUTES)
    throw damaged(file, line, `"attributes" take more than ${MAX_ATTRIBUTES} characters`);
  return {
    path: value.path,
    person: value.person ?? personOf(value.path),
    hint: asBox === null && !pointed ? null : hint,
    attributes,
  };
}

async function* entries(file: string): AsyncGenerator<DatasetEntry> {
  const people = new Set<string>();
  for await (const { person } of parsed(file)) people.add(person);
  const names = [...people].sort();
  const keys = identityKeys(names);
  const keyOf = new Map(names.map((name, i) => [name, keys[i]!]));
  const seen = new Set<string>();
  for await (const { path, person, hint, attributes } of parsed(file)) {
    const absolute = resolve(dirname(file), path);
    const name = join(dirname(file), path);
    if (seen.has(absolute)) yield { name, fault: new DafError('ERR_DAF_BAD_DATA', `${basename(file)} names it twice`) };
    else if ((await stat(absolute).catch(() => null)) === null)
      yield { name, fault: new DafError('ERR_DAF_NOT_FOUND', `${basename(file)} names it, and it is not there`) };
    else yield { name, path: absolute, identity: keyOf.get(person)!, hint, attributes };
    seen.add(absolute);
  }
}
