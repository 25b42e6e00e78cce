import { DafError, type DafErrorCode, toWire } from '../core/contracts/errors.js';
import { listPhotos } from '../faces/datasets/folder.js';
import type { ArchiveMember } from '../faces/datasets/shards/member.js';
import type { ShardSidecar } from '../faces/datasets/shards/shards.js';
import type { FaceHint } from '../faces/types.js';
import { type CaptureFrame, captureFrames } from './capture/frames.js';
import type { SentFiles, Unsent } from './sent_files.js';

/** One photo of the input, as a record of the job carries it. */
export interface PhotoRecord {
  /** As typed; what reports and manifests call it. */
  readonly name: string;
  readonly path: string;
  /** Where `path` is an archive: the photo in it. */
  readonly member?: ArchiveMember | undefined;
  /** Landmarks beside it in the archive. */
  readonly sidecar?: ShardSidecar | null | undefined;
  /** Hexadecimal, where the path is not UTF-8. */
  readonly pathBytes: string | null;
  /** Key of the person. */
  readonly identity: string;
  /** The person's place among all people of the job, from 0. */
  readonly person: number;
  /** Of a posed capture: where its camera is written. */
  readonly capture?: CaptureFrame | undefined;
  /** What an annotated data set says of the face. */
  readonly hint?: FaceHint | null;
  /** What else it says, for the person's report. */
  readonly attributes?: Readonly<Record<string, string | number>> | undefined;
  /** The files themselves, where workers do not see them under `path`. */
  readonly sent?: SentFiles | Unsent | undefined;
}

/** What could not even be listed: a record too, so that the manifest names it. */
export interface RefusedRecord {
  readonly name: string;
  readonly refused: { readonly code: DafErrorCode; readonly message: string; readonly hint: string | null };
}

export type InputRecord = PhotoRecord | RefusedRecord;

export interface AvatarInput {
  readonly records: readonly InputRecord[];
  readonly people: number;
  readonly photos: number;
  /** People whose photos are posed captures. */
  readonly captures: number;
}

/**
 * The records of an avatar job over folders (a sub-folder a person), photos (each its own person) and posed captures (folders with a
 * `transforms.json`; one that cannot be used is refused, and its photos are photos like others).
 * @throws DafError ERR_DAF_NOT_FOUND, ERR_DAF_NO_INPUT
 */
export async function avatarInput(inputs: readonly string[]): Promise<AvatarInput> {
  const { identities, photos, refusals } = await listPhotos(inputs);
  const place = new Map(identities.map(({ key }, i) => [key, i]));
  const records: InputRecord[] = [];
  const frames = new Map<string, ReadonlyMap<string, CaptureFrame>>();
  for (const { key, capture } of identities) {
    if (capture === null) continue;
    try {
      const own = photos.filter(({ identity }) => identity === key);
      frames.set(key, await captureFrames(capture, own));
    } catch (error) {
      const { code, message, hint } = toWire(DafError.from(error));
      records.push({ name: capture, refused: { code, message, hint } });
    }
  }
  for (const { name, path, pathBytes, identity } of photos) {
    const known = frames.get(identity);
    const capture = known?.get(path);
    // Depth pictures, masks and held-out views lie there too.
    if (known === undefined || capture !== undefined) {
      records.push({ name, path, pathBytes, identity, person: place.get(identity)!, capture });
    }
  }
  for (const { input, error } of refusals) {
    const { code, message, hint } = toWire(error);
    records.push({ name: input, refused: { code, message, hint } });
  }
  const used = records.filter((record) => 'path' in record).length;
  return { records, people: identities.length, photos: used, captures: frames.size };
}

/** The bytes of a record: JSON; where files travel with it a newline and their bytes follow, photo first. */
export function encodeInput(record: InputRecord): Uint8Array {
  if (!('sent' in record) || record.sent === undefined || 'fault' in record.sent) return Buffer.from(JSON.stringify(record));
  const { photo, sidecar } = record.sent;
  const sent: SentLengths = {
    photo: photo.length,
    sidecar: sidecar && { name: sidecar.name, bytes: sidecar.bytes.length },
  };
  const json = Buffer.from(`${JSON.stringify({ ...record, sent })}\n`);
  return Buffer.concat([json, photo, ...(sidecar === null ? [] : [sidecar.bytes])]);
}

interface SentLengths {
  readonly photo: number;
  readonly sidecar: { readonly name: string; readonly bytes: number } | null;
}

/**
 * What encodeInput wrote. Files that travelled with it are views of `bytes`.
 * @throws DafError ERR_DAF_BAD_DATA
 */
export function decodeInput(bytes: Uint8Array): InputRecord {
  const end = bytes.indexOf(NEWLINE);
  let record: Partial<PhotoRecord & RefusedRecord> | null;
  try {
    const json = new TextDecoder('utf-8', { fatal: true }).decode(end < 0 ? bytes : bytes.subarray(0, end));
    record = JSON.parse(json) as Partial<PhotoRecord & RefusedRecord>;
  } catch (cause) {
    throw new DafError('ERR_DAF_BAD_DATA', 'an input record is not JSON', { cause });
  }
  const photo = typeof record?.path === 'string' && typeof record.identity === 'string' && Number.isInteger(record.person);
  if (typeof record?.name !== 'string' || (!photo && typeof record.refused?.code !== 'string')) {
    throw new DafError('ERR_DAF_BAD_DATA', 'an input record is not a photo');
  }
  if (end < 0) return record as InputRecord;
  return { ...(record as PhotoRecord), sent: sentFiles(record.sent as unknown, bytes.subarray(end + 1)) };
}

const NEWLINE = 0x0a;

function sentFiles(lengths: unknown, bytes: Uint8Array): SentFiles {
  const { photo, sidecar } = (lengths ?? {}) as Partial<SentLengths>;
  if (Number.isInteger(photo) && bytes.length === photo! + (sidecar?.bytes ?? 0)) {
    const beside = sidecar ? { name: sidecar.name, bytes: bytes.subarray(photo!) } : null;
    return { photo: bytes.subarray(0, photo!), sidecar: beside };
  }
  throw new DafError('ERR_DAF_BAD_DATA', 'an input record does not have the files that it says');
}

/** Photos of one map task: small jobs too have several tasks. Never by the number of workers, which must change no byte. */
export function photosPerSplit(photos: number): number {
  return Math.max(1, Math.min(MAX_SPLIT, Math.ceil(photos / SPLITS)));
}

const SPLITS = 16;
const MAX_SPLIT = 32;

/** Reduce tasks: people take long and differ, so there are more tasks than threads. */
export function avatarReducers(people: number): number {
  return Math.max(1, Math.min(MAX_REDUCERS, people));
}

const MAX_REDUCERS = 64;

/**
 * A person's key in the shuffle: the place as big-endian uint32, then the identity. The place spreads people evenly over the reducers,
 * which a hash of so few keys would not.
 */
export function personKey({ person, identity }: Pick<PhotoRecord, 'person' | 'identity'>): Uint8Array {
  const name = new TextEncoder().encode(identity);
  const key = new Uint8Array(4 + name.length);
  new DataView(key.buffer).setUint32(0, person);
  key.set(name, 4);
  return key;
}

export function identityOfKey(key: Uint8Array): string {
  return new TextDecoder().decode(key.subarray(4));
}

export function partitionPeople(key: Uint8Array, reducers: number): number {
  return new DataView(key.buffer, key.byteOffset, key.byteLength).getUint32(0) % reducers;
}
