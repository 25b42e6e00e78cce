import { stat } from 'node:fs/promises';
import { type DafError, toWire, type WireError } from '../../core/contracts/errors.js';
import { DEFAULT_DECODE_BYTES, decodeScaled, readHeader } from '../vision/decode.js';
import { sidecarPaths } from '../vision/sidecar.js';
import { openPhoto } from '../vision/source.js';
import { type DatasetEntry, type DatasetKind, detectDataset, openDataset } from './dataset.js';
import { listPhotos, photoPath } from './folder.js';
import { type ArchiveMember, readMember } from './shards/member.js';
import type { ShardSidecar } from './shards/shards.js';

export interface DatasetCheck {
  readonly kind: DatasetKind;
  readonly people: number;
  readonly photos: number;
  /** Of all photos' files. */
  readonly bytes: number;
  /** Photos with landmarks or boxes, of the set or beside the photo. */
  readonly hinted: number;
  /** How many faults of each code. */
  readonly faults: Readonly<Record<string, number>>;
  /** The first of them. */
  readonly firstFaults: readonly { readonly name: string; readonly error: WireError }[];
  readonly sample: {
    readonly decoded: number;
    /** Smallest and largest width × height seen; null where nothing was decoded. */
    readonly smallest: readonly [number, number] | null;
    readonly largest: readonly [number, number] | null;
    readonly damaged: readonly { readonly name: string; readonly error: WireError }[];
  };
}

const LISTED = 20;
/** Enough to find whether a file is whole; nobody looks at the picture. */
const SIDE = 256;

interface Photo {
  readonly name: string;
  readonly path: string | Buffer;
  readonly member?: ArchiveMember | undefined;
  readonly sidecar?: ShardSidecar | null | undefined;
  readonly identity: string;
  readonly hinted: boolean;
}

type Entry = Photo | Extract<DatasetEntry, { fault: DafError }>;

/**
 * Counts a data set, and decodes photos spread evenly over it.
 * @param sample photos to decode at most.
 * @throws DafError as openDataset and listPhotos; ERR_DAF_BAD_DATA for damaged annotations; ERR_DAF_CANCELLED.
 */
export async function checkDataset(
  input: string,
  asked: DatasetKind | 'auto',
  sample: number,
  signal?: AbortSignal,
): Promise<DatasetCheck> {
  const kind = asked === 'auto' ? await detectDataset(input) : asked;
  const read = await reader(kind, input);
  const people = new Set<string>();
  const faults: Record<string, number> = {};
  const firstFaults: { name: string; error: WireError }[] = [];
  let [photos, bytes, hinted] = [0, 0, 0];
  for await (const entry of read()) {
    signal?.throwIfAborted();
    if ('fault' in entry) {
      faults[entry.fault.code] = (faults[entry.fault.code] ?? 0) + 1;
      if (firstFaults.length < LISTED) firstFaults.push({ name: entry.name, error: toWire(entry.fault) });
      continue;
    }
    people.add(entry.identity);
    photos += 1;
    hinted += entry.hinted || (await hasSidecar(entry)) ? 1 : 0;
    bytes += entry.member?.bytes ?? (await stat(entry.path).catch(() => ({ size: 0 }))).size;
  }
  const step = Math.max(1, Math.ceil(photos / Math.max(1, sample)));
  const sizes: [number, number][] = [];
  const damaged: { name: string; error: WireError }[] = [];
  let at = 0;
  for await (const entry of read()) {
    signal?.throwIfAborted();
    if (sample === 0) break;
    if ('fault' in entry || at++ % step !== 0) continue;
    try {
      sizes.push(await decode(entry));
    } catch (error) {
      damaged.push({ name: entry.name, error: toWire(error) });
    }
  }
  sizes.sort((a, b) => a[0] * a[1] - b[0] * b[1]);
  return {
    kind,
    people: people.size,
    photos,
    bytes,
    hinted,
    faults,
    firstFaults,
    sample: { decoded: sizes.length, smallest: sizes[0] ?? null, largest: sizes.at(-1) ?? null, damaged },
  };
}

async function reader(kind: DatasetKind, input: string): Promise<() => AsyncGenerator<Entry>> {
  if (kind === 'folders') {
    const { photos, refusals } = await listPhotos([input]);
    return async function* () {
      for (const photo of photos) yield { name: photo.name, path: photoPath(photo), identity: photo.identity, hinted: false };
      for (const { input: name, error } of refusals) yield { name, fault: error };
    };
  }
  const dataset = await openDataset(kind, input);
  return async function* () {
    for await (const entry of dataset.entries()) yield 'fault' in entry ? entry : { ...entry, hinted: entry.hint !== null };
  };
}

async function hasSidecar({ path, member, sidecar }: Photo): Promise<boolean> {
  if (member !== undefined) return sidecar != null;
  for (const file of sidecarPaths(path)) if ((await stat(file).catch(() => null)) !== null) return true;
  return false;
}

async function decode({ path, member }: Photo): Promise<[number, number]> {
  await using file = await openPhoto(member === undefined ? { path } : { bytes: await readMember(String(path), member) });
  const header = await readHeader(file.input, DEFAULT_DECODE_BYTES);
  await decodeScaled(file.input, header, SIDE);
  return [header.width, header.height];
}
