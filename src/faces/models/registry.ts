import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import { sha256OfFile } from '../../core/download.js';
import { userFolder } from '../../core/user-folder.js';
import type { ModelFile } from '../types.js';
import type { AdapterName } from './identify.js';
import { inspectModel } from './inspect.js';

/** What a head model is filed as: nothing that looks at photos. */
export const HEAD_ADAPTER = 'daf-head';

/** One file of a pack, as it was when it was added: a vision model (.onnx) or a head model (.safetensors). */
export interface PinnedModel {
  readonly file: string;
  readonly adapter: AdapterName | typeof HEAD_ADAPTER;
  readonly sha256: string;
  readonly bytes: number;
}

/** What `daf models add` leaves in a folder of the registry, as `pack.json`. */
export interface ModelPack {
  readonly version: 1;
  readonly name: string;
  /** Address, file or folder it came from. */
  readonly source: string;
  /** As stated by its authors or its user; null: nobody said. */
  readonly licence: string | null;
  readonly files: readonly PinnedModel[];
}

export const PACK_FILE = 'pack.json';
const PACK_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/i;

/** Folder of the registry. @throws DafError ERR_DAF_UNSUPPORTED where the environment names no home. */
export function registryFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const home = userFolder(env);
  if (home !== null) return join(home, 'models');
  throw new DafError('ERR_DAF_UNSUPPORTED', 'there is no home folder to keep models in', { hint: 'set DAF_HOME to a folder' });
}

/** @throws DafError ERR_DAF_BAD_OPTION for what cannot name a folder. */
export function checkPackName(name: string): string {
  if (PACK_NAME.test(name)) return name;
  throw new DafError('ERR_DAF_BAD_OPTION', `"${name}" is no name of a model`, {
    hint: 'letters, digits, ".", "_" and "-", 64 at most; give --name',
  });
}

/** The packs of a registry by name; a folder that is none, or not yet, is passed over. @throws DafError ERR_DAF_BAD_DATA, ERR_DAF_IO. */
export async function listPacks(registry: string): Promise<ModelPack[]> {
  let names: string[];
  try {
    names = await readdir(registry);
  } catch (cause) {
    const error = DafError.from(cause, 'ERR_DAF_IO');
    if (error.code === 'ERR_DAF_NOT_FOUND') return [];
    throw error;
  }
  const packs: ModelPack[] = [];
  for (const name of names.filter((each) => PACK_NAME.test(each)).sort()) {
    const pack = await readPack(registry, name);
    if (pack !== null) packs.push(pack);
  }
  return packs;
}

/** Null where there is no such pack. @throws DafError ERR_DAF_BAD_DATA: its record is damaged. */
export async function readPack(registry: string, name: string): Promise<ModelPack | null> {
  const path = join(registry, checkPackName(name), PACK_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const error = DafError.from(cause, 'ERR_DAF_IO');
    if (error.code === 'ERR_DAF_NOT_FOUND' || (cause as NodeJS.ErrnoException).code === 'ENOTDIR') return null;
    throw error;
  }
  try {
    const pack = JSON.parse(text) as ModelPack;
    const whole = pack.version === 1 && Array.isArray(pack.files) && pack.files.length > 0 && pack.files.every(isPinned);
    if (whole) return { ...pack, name };
  } catch {
    // Told below.
  }
  throw new DafError('ERR_DAF_BAD_DATA', `${path} is damaged`, { hint: `daf models remove ${name}, then add it again` });
}

function isPinned(file: Partial<PinnedModel>): boolean {
  const kind = file.adapter === HEAD_ADAPTER ? /^[^/\\]+\.safetensors$/i : /^[^/\\]+\.onnx$/i;
  const plain = typeof file.file === 'string' && kind.test(file.file);
  return plain && /^[0-9a-f]{64}$/.test(String(file.sha256)) && Number.isInteger(file.bytes) && typeof file.adapter === 'string';
}

export interface PackVerdict {
  readonly name: string;
  readonly file: string;
  readonly path: string;
  readonly state: 'ok' | 'missing' | 'changed' | 'unpinned';
  readonly detail: string;
}

/** Compares every file with what was pinned, and names models that lie there unpinned. */
export async function verifyPack(registry: string, pack: ModelPack): Promise<PackVerdict[]> {
  const folder = join(registry, pack.name);
  const verdicts: PackVerdict[] = [];
  for (const pinned of pack.files) {
    const path = join(folder, pinned.file);
    const verdict = await verifyFile(path, pinned);
    verdicts.push({ name: pack.name, file: pinned.file, path, ...verdict });
  }
  const names = await readdir(folder);
  for (const file of names
    .filter((name) => /\.(onnx|safetensors)$/i.test(name) && !pack.files.some((pinned) => pinned.file === name))
    .sort()) {
    const detail = 'lies in the folder but was not added; it is not used';
    verdicts.push({ name: pack.name, file, path: join(folder, file), state: 'unpinned', detail });
  }
  return verdicts;
}

async function verifyFile(path: string, pinned: PinnedModel): Promise<Pick<PackVerdict, 'state' | 'detail'>> {
  let found: string;
  try {
    found = await sha256OfFile(path);
  } catch (error) {
    return { state: 'missing', detail: DafError.from(error).message };
  }
  if (found === pinned.sha256) return { state: 'ok', detail: `${pinned.adapter}, ${pinned.bytes} bytes, SHA-256 ${found}` };
  return { state: 'changed', detail: `SHA-256 ${found}, pinned ${pinned.sha256}` };
}

/** A model of the registry, with what ranks it among others. */
export interface RegistryModel extends ModelFile {
  readonly freeSize: boolean;
  readonly side: number;
}

/**
 * The registry's models that are what was added; those that changed or are gone are told apart, so that no changed file is used.
 * A registry that does not exist holds none.
 */
export async function registryModels(registry: string): Promise<{ found: RegistryModel[]; refused: string[] }> {
  const found: RegistryModel[] = [];
  const refused: string[] = [];
  for (const pack of await listPacks(registry)) {
    // A head of 25 MB is hashed when it is used.
    const files = pack.files.filter(({ adapter }) => adapter !== HEAD_ADAPTER);
    if (files.length === 0) continue;
    for (const { path, state, file, detail } of await verifyPack(registry, { ...pack, files })) {
      if (/\.safetensors$/i.test(file)) continue;
      if (state === 'ok') found.push({ file: path, ...rank(await inspectModel(path)) });
      else if (state !== 'unpinned') refused.push(`${pack.name}/${file}: ${detail}`);
    }
  }
  return { found, refused };
}

function rank({ adapter, freeSize, side }: Omit<RegistryModel, 'file'>): Omit<RegistryModel, 'file'> {
  return { adapter, freeSize, side };
}

/** @throws DafError ERR_DAF_NOT_FOUND: there is no such pack. */
export async function removePack(registry: string, name: string): Promise<void> {
  const folder = join(registry, checkPackName(name));
  await mkdir(registry, { recursive: true });
  const known = (await readdir(registry)).includes(name);
  if (!known) {
    const names = (await listPacks(registry)).map((pack) => pack.name).join(', ') || 'none';
    throw new DafError('ERR_DAF_NOT_FOUND', `no model "${name}" was added`, { hint: `added: ${names}` });
  }
  await rm(folder, { recursive: true });
}
