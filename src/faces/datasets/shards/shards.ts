import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { DafError } from '../../../core/contracts/errors.js';
import type { Dataset, DatasetEntry } from '../dataset.js';
import { isPhotoName, isSidecarName } from '../folder.js';
import { identityKeys } from '../names.js';
import { type ListedMember, listShard, PACKED_SHARD, SHARD } from './list.js';
import type { ArchiveMember } from './member.js';

/** A file beside a photo in the same archive. */
export interface ShardSidecar {
  readonly name: string;
  readonly member: ArchiveMember;
}

interface Photo {
  readonly path: string;
  readonly name: string;
  readonly member: ArchiveMember;
  readonly sidecar: ShardSidecar | null;
  readonly person: string;
}

/**
 * Photos in archives (`.tar`, `.zip`), an archive or a folder of them, which are never unpacked: the list says where each photo lies, and a map task
 * reads it from there. Inside, a folder is a person, the same person in all archives; photos beside folders are a person each. Landmark files beside a
 * photo go with it. The places of all members are held, a few hundred bytes each.
 * @throws DafError ERR_DAF_NOT_FOUND, ERR_DAF_NO_INPUT: no archive. What is wrong with one is among the entries.
 */
export async function openShards(input: string): Promise<Dataset> {
  const shards = await shardsOf(input);
  let entries: DatasetEntry[] | null = null;
  return {
    kind: 'shards',
    async *entries() {
      entries ??= await read(shards);
      yield* entries;
    },
  };
}

interface Shard {
  readonly path: string;
  /** As reports call it. */
  readonly name: string;
}

async function shardsOf(input: string): Promise<Shard[]> {
  const root = resolve(input);
  let info: Stats;
  try {
    info = await stat(root);
  } catch (cause) {
    throw DafError.from(cause, 'ERR_DAF_IO');
  }
  if (!info.isDirectory()) return [{ path: root, name: input }];
  const names = (await readdir(root)).filter((name) => !name.startsWith('.')).sort();
  const shards = names.filter((name) => SHARD.test(name) || PACKED_SHARD.test(name));
  if (shards.length === 0) throw new DafError('ERR_DAF_NO_INPUT', `${input} holds no .tar and no .zip`);
  return shards.map((name) => ({ path: join(root, name), name: join(input, name) }));
}

async function read(shards: readonly Shard[]): Promise<DatasetEntry[]> {
  const faults: DatasetEntry[] = [];
  const photos: Photo[] = [];
  for (const shard of shards) photos.push(...(await photosOf(shard, faults)));
  const people = [...new Set(photos.map(({ person }) => person))].sort();
  const keys = identityKeys(people);
  const keyOf = new Map(people.map((person, i) => [person, keys[i]!]));
  const items = photos.map(({ path, name, member, sidecar, person }): DatasetEntry => {
    return { name, path, member, sidecar, identity: keyOf.get(person)!, hint: null, attributes: {} };
  });
  return [...faults, ...items];
}

async function photosOf(shard: Shard, faults: DatasetEntry[]): Promise<Photo[]> {
  const members = new Map<string, ListedMember>();
  const fault = (name: string, error: DafError): void => void faults.push({ name, fault: error });
  try {
    if (!SHARD.test(shard.path)) throw notSeekable(shard);
    // A named pipe would hold the listing for ever.
    if (!(await stat(shard.path)).isFile()) throw new DafError('ERR_DAF_BAD_DATA', 'not a regular file');
    for await (const listed of listShard(shard.path)) {
      const hidden = listed.name.split('/').some((part) => /^\.[^.]/.test(part)) || listed.name.startsWith('__MACOSX/');
      if (hidden) continue;
      // As tar itself unpacks it: of two files of one name the last one stays.
      members.set(listed.name.replace(/^(\.?\/)+/, ''), listed);
    }
  } catch (error) {
    fault(shard.name, DafError.from(error));
  }
  const photos: Photo[] = [];
  for (const [inside, { member }] of members) {
    if (isSidecarName(inside)) continue;
    const name = `${shard.name}/${inside}`;
    if (!isPhotoName(inside)) fault(name, new DafError('ERR_DAF_BAD_IMAGE', 'the name has no ending of a photo'));
    else if (typeof member === 'string')
      fault(name, new DafError('ERR_DAF_BAD_IMAGE', `it cannot be read out of the archive: ${member}`));
    else {
      const sidecar = sidecarOf(inside, members);
      photos.push({ path: shard.path, name, member, sidecar, person: personOf(inside) });
    }
  }
  return photos;
}

function notSeekable(shard: Shard): DafError {
  return new DafError(
    'ERR_DAF_UNSUPPORTED',
    `${basename(shard.name)} is packed as a whole: no photo can be read without all before it`,
    {
      hint: 'photos are packed already; make a plain .tar or a .zip of them',
    },
  );
}

/** The outermost folder, or the photo itself without its ending. */
function personOf(inside: string): string {
  const slash = inside.indexOf('/');
  return slash > 0 ? inside.slice(0, slash) : inside.replace(/\.[^.]+$/, '');
}

/** In the order of vision/sidecar.ts. */
function sidecarOf(photo: string, members: ReadonlyMap<string, ListedMember>): ShardSidecar | null {
  const stem = photo.replace(/\.[^./]+$/, '');
  for (const name of [`${photo}.pts`, `${photo}.json`, `${stem}.pts`, `${stem}.landmarks.json`]) {
    const member = members.get(name)?.member;
    if (member !== undefined && typeof member !== 'string') return { name, member };
  }
  return null;
}
