import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import type { DatasetPhoto, DatasetRefusal, PhotoDataset } from '../types.js';
import { byCodePoints, identityKeys } from './names.js';

/** Endings of photos; what the file really holds is decided when it is decoded. */
const PHOTO = /\.(jpe?g|jpe|jfif|png|webp|tiff?|gif|avif|heic|heif)$/i;
const DEPTH = 16;

/** A file or folder: where it is, and how the user would type it. Both as bytes, because names need not be UTF-8. */
interface Place {
  readonly path: Buffer;
  readonly typed: Buffer;
}

/** A photo before its person has a key. The person is the folder, or the photo itself. */
interface Found {
  readonly place: Place;
  readonly person: Place;
  readonly bytes: number;
}

interface Finds {
  readonly photos: Found[];
  /** By person: the file that says where its photos were taken from. */
  readonly captures: Map<string, Place>;
  readonly refusals: DatasetRefusal[];
}

/**
 * The photos below the inputs. Files: each is its own person, named after the file without its ending. A folder: each of its
 * sub-folders is a person and has all photos below it; photos directly in it are a person each, unless `transforms.json` lies beside them: then
 * it is one person's posed capture, as a sub-folder with one is, and what is no photo is passed over. Hidden files and side-car landmarks are passed over; other files, unreadable folders and persons without photo are listed as refusals.
 * @param inputs paths as typed.
 * @throws DafError ERR_DAF_NOT_FOUND: an input is not there. ERR_DAF_NO_INPUT: nothing was given, or no photo and no refusal found.
 */
export async function listPhotos(inputs: readonly string[]): Promise<PhotoDataset> {
  const finds: Finds = { photos: [], captures: new Map(), refusals: [] };
  for (const input of inputs) await listInput(input, finds);
  if (finds.photos.length === 0 && finds.refusals.length === 0) {
    throw new DafError(
      'ERR_DAF_NO_INPUT',
      inputs.length === 0 ? 'no photo or folder is given' : `no photo in ${inputs.join(', ')}`,
    );
  }
  const people = new Map(finds.photos.map(({ person }) => [idOf(person), person]));
  const ordered = [...people].sort(
    ([, a], [, b]) =>
      byCodePoints(personName(a), personName(b)) || Buffer.compare(a.typed, b.typed) || Buffer.compare(a.path, b.path),
  );
  const names = ordered.map(([, person]) => personName(person));
  const keys = identityKeys(names);
  const keyOf = new Map(ordered.map(([id], i) => [id, keys[i]!]));
  const captures = ordered.map(([id]) => finds.captures.get(id)?.path.toString() ?? null);
  // The same file given twice is one photo.
  const distinct = new Map(finds.photos.map((found) => [`${idOf(found.person)}/${idOf(found.place)}`, found]));
  return {
    identities: keys
      .map((key, i) => ({ key, name: names[i]!, capture: captures[i]! }))
      .sort((a, b) => byCodePoints(a.key, b.key)),
    photos: [...distinct.values()]
      .map((found) => ({ found, photo: photoOf(found, keyOf.get(idOf(found.person))!) }))
      .sort(
        (a, b) => byCodePoints(a.photo.identity, b.photo.identity) || Buffer.compare(a.found.place.typed, b.found.place.typed),
      )
      .map(({ photo }) => photo),
    refusals: finds.refusals.sort((a, b) => byCodePoints(a.input, b.input) || byCodePoints(a.error.code, b.error.code)),
  };
}

async function listInput(input: string, finds: Finds): Promise<void> {
  const place = { path: Buffer.from(resolve(input)), typed: Buffer.from(input) };
  let info: Stats;
  try {
    info = await stat(place.path);
  } catch (cause) {
    const error = DafError.from(cause, 'ERR_DAF_IO');
    if (error.code === 'ERR_DAF_NOT_FOUND') {
      throw new DafError('ERR_DAF_NOT_FOUND', `${input} does not exist`, { hint: 'give a folder of photos, or photos', cause });
    }
    finds.refusals.push({ input, error });
    return;
  }
  if (!info.isDirectory()) return addFile(place, place, info, finds);
  const inside = await entries(place, finds);
  if (inside.some(isCapture)) return listPerson(place, place, 1, finds);
  for (const entry of inside) {
    const found = await statOf(entry, finds);
    if (found === null) continue;
    if (!found.isDirectory()) addFile(entry, entry, found, finds);
    else {
      const before = finds.photos.length + finds.refusals.length;
      await listPerson(entry, entry, 1, finds);
      if (before === finds.photos.length + finds.refusals.length) {
        refuse(finds, entry, new DafError('ERR_DAF_NO_INPUT', 'the folder holds no photo'));
      }
    }
  }
}

/** All photos below a person's folder. */
async function listPerson(folder: Place, person: Place, depth: number, finds: Finds): Promise<void> {
  if (depth > DEPTH) return refuse(finds, folder, new DafError('ERR_DAF_BAD_DATA', `folders lie deeper than ${DEPTH}`));
  const inside = await entries(folder, finds);
  const capture = folder === person ? inside.find(isCapture) : undefined;
  if (capture !== undefined) finds.captures.set(idOf(person), capture);
  for (const entry of inside) {
    const info = await statOf(entry, finds);
    if (info === null) continue;
    if (info.isDirectory()) await listPerson(entry, person, depth + 1, finds);
    else addFile(entry, person, info, finds);
  }
}

/** What lies in a folder, in byte order, hidden files and side-cars left out. */
async function entries(folder: Place, finds: Finds): Promise<Place[]> {
  try {
    const names = await readdir(folder.path, { encoding: 'buffer' });
    return names
      .filter((name) => name[0] !== 0x2e && !isSidecarName(name.toString('latin1')))
      .sort(Buffer.compare)
      .map((name) => ({ path: join(folder.path, name), typed: join(folder.typed, name) }));
  } catch (cause) {
    refuse(finds, folder, DafError.from(cause, 'ERR_DAF_IO'));
    return [];
  }
}

function isCapture({ path }: Place): boolean {
  return path.subarray(path.lastIndexOf('/') + 1).toString('latin1') === 'transforms.json';
}

export function isPhotoName(name: string): boolean {
  return PHOTO.test(name);
}

/** Landmarks of a photo (vision/sidecar.ts): no photos themselves, and no refusals. */
export function isSidecarName(name: string): boolean {
  const text = name.toLowerCase();
  return text.endsWith('.pts') || text.endsWith('.landmarks.json') || (text.endsWith('.json') && PHOTO.test(text.slice(0, -5)));
}

async function statOf(place: Place, finds: Finds): Promise<Stats | null> {
  try {
    return await stat(place.path);
  } catch (cause) {
    refuse(finds, place, DafError.from(cause, 'ERR_DAF_IO'));
    return null;
  }
}

function addFile(place: Place, person: Place, info: Stats, finds: Finds): void {
  if (!info.isFile()) refuse(finds, place, new DafError('ERR_DAF_BAD_IMAGE', 'not a regular file'));
  else if (isPhotoName(place.path.toString('latin1'))) finds.photos.push({ place, person, bytes: info.size });
  else if (!finds.captures.has(idOf(person))) {
    // Beside a capture's pictures lie points, lists and models.
    const hint = 'photos end in .jpg, .png, .webp, .tif, .gif or .avif';
    refuse(finds, place, new DafError('ERR_DAF_BAD_IMAGE', 'the name has no ending of a photo', { hint }));
  }
}

function refuse(finds: Finds, place: Place, error: DafError): void {
  finds.refusals.push({ input: place.typed.toString(), error });
}

function photoOf(found: Found, identity: string): DatasetPhoto {
  const { path, typed } = found.place;
  const text = path.toString();
  const pathBytes = Buffer.from(text).equals(path) ? null : path.toString('hex');
  return { name: typed.toString(), path: text, pathBytes, identity, bytes: found.bytes };
}

/** Where a photo is opened: its path, as bytes when the name is not UTF-8. */
export function photoPath(photo: Pick<DatasetPhoto, 'path' | 'pathBytes'>): string | Buffer {
  return photo.pathBytes === null ? photo.path : Buffer.from(photo.pathBytes, 'hex');
}

function idOf(place: Place): string {
  return place.path.toString('hex');
}

function join(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat(folder.at(-1) === 0x2f ? [folder, name] : [folder, Buffer.from('/'), name]);
}

/** The last part of a person's place, without the ending of a photo. */
function personName(person: Place): string {
  const end = person.path.length;
  return person.path
    .subarray(person.path.lastIndexOf('/') + 1, end)
    .toString()
    .replace(PHOTO, '');
}
