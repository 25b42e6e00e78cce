import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DafError } from '../../core/contracts/errors.js';
import type { FaceHint } from '../types.js';
import { openCelebA } from './celeba.js';
import { openCelebAHq } from './celeba-hq.js';
import { openFfhq } from './ffhq.js';
import { LIST_NAME, openList } from './list.js';
import { SHARD } from './shards/list.js';
import type { ArchiveMember } from './shards/member.js';
import { openShards, type ShardSidecar } from './shards/shards.js';

export type DatasetKind = 'celeba' | 'celeba-hq' | 'ffhq' | 'list' | 'shards' | 'folders';

/** A photo of an annotated data set. */
export interface DatasetItem {
  /** As reports call it: the input as typed, and the path below it. */
  readonly name: string;
  /** Absolute; of the archive where the photo lies in one. */
  readonly path: string;
  readonly member?: ArchiveMember | undefined;
  /** Landmarks beside it in the archive. */
  readonly sidecar?: ShardSidecar | null | undefined;
  /** The person's key, safe as a file name. */
  readonly identity: string;
  /** What the set says of the face, for the map task. */
  readonly hint: FaceHint | null;
  /** What else it says: attributes, split, licence. */
  readonly attributes: Readonly<Record<string, string | number>>;
}

/** What the set names and cannot be used, or holds and does not name. */
export interface DatasetFault {
  readonly name: string;
  readonly fault: DafError;
}

export type DatasetEntry = DatasetItem | DatasetFault;

/** A data set that can be read as often as wanted, one entry at a time. */
export interface Dataset {
  readonly kind: Exclude<DatasetKind, 'folders'>;
  /** @throws DafError ERR_DAF_BAD_DATA with file and line where an annotation is damaged. */
  entries(): AsyncGenerator<DatasetEntry>;
}

/** What an input is, by what lies in it; `folders` for everything without annotations. */
export async function detectDataset(input: string): Promise<DatasetKind> {
  const root = resolve(input);
  const info = await stat(root).catch(() => null);
  if (info === null) return 'folders';
  if (!info.isDirectory()) return /\.(tsv|jsonl)$/i.test(root) ? 'list' : SHARD.test(root) ? 'shards' : 'folders';
  const has = async (...names: string[]): Promise<boolean> => {
    for (const name of names) if ((await stat(join(root, name)).catch(() => null)) !== null) return true;
    return false;
  };
  if (await has('CelebA-HQ-to-CelebA-mapping.txt')) return 'celeba-hq';
  if (await has('identity_CelebA.txt', 'Anno/identity_CelebA.txt', 'list_attr_celeba.txt', 'Anno/list_attr_celeba.txt'))
    return 'celeba';
  if (await has('ffhq-dataset-v2.json')) return 'ffhq';
  if (await has(LIST_NAME)) return 'list';
  if ((await readdir(root)).some((name) => SHARD.test(name))) return 'shards';
  return 'folders';
}

/**
 * Opens an annotated data set.
 * @throws DafError ERR_DAF_NOT_FOUND: it, or a file that it cannot do without, is not there.
 */
export function openDataset(kind: Exclude<DatasetKind, 'folders'>, input: string): Promise<Dataset> {
  switch (kind) {
    case 'celeba':
      return openCelebA(input);
    case 'celeba-hq':
      return openCelebAHq(input);
    case 'ffhq':
      return openFfhq(input);
    case 'list':
      return openList(input);
    case 'shards':
      return openShards(input);
  }
}
