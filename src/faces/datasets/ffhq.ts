import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import type { FaceHint } from '../types.js';
import type { Dataset, DatasetEntry } from './dataset.js';
import { jsonMembers } from './json-stream.js';

const JSON_FILE = 'ffhq-dataset-v2.json';
/** Largest first; the last two are the folder itself, as some archives of smaller copies are. */
const FOLDERS = ['images1024x1024', 'images512x512', 'images256x256', 'thumbnails128x128', ''] as const;
const ENDINGS = ['png', 'jpg', 'webp'] as const;

/**
 * Flickr-Faces-HQ (Karras et al., CVPR 2019): `ffhq-dataset-v2.json` and PNGs `images1024x1024/00000/00000.png`, copies of 512 or 256 pixels, or
 * `thumbnails128x128`; each folder a thousand photos, or all in one. A photo is a person; its 68 landmarks are those of the JSON, scaled
 * to the photo's size. The JSON is read as a stream.
 * @throws DafError ERR_DAF_NOT_FOUND without the JSON.
 */
export async function openFfhq(input: string): Promise<Dataset> {
  const file = join(resolve(input), JSON_FILE);
  if ((await stat(file).catch(() => null)) === null) {
    throw new DafError('ERR_DAF_NOT_FOUND', `${input}: ${JSON_FILE} is missing`, {
      hint: 'or give the photos with --dataset folders',
    });
  }
  return { kind: 'ffhq', entries: () => entries(input, file) };
}

async function* entries(input: string, file: string): AsyncGenerator<DatasetEntry> {
  const root = resolve(input);
  const typed = input.replace(/\/+$/, '');
  const seen = new Set<string>();
  for await (const { key, value } of jsonMembers(file)) {
    if (!/^\d{1,8}$/.test(key) || seen.has(key)) {
      yield {
        name: `${typed}/${JSON_FILE}#${key}`,
        fault: new DafError('ERR_DAF_BAD_DATA', seen.has(key) ? 'comes twice' : 'is no number of a photo'),
      };
      continue;
    }
    seen.add(key);
    const identity = key.padStart(5, '0');
    const found = await photoOf(root, identity);
    if (found === null) {
      const fault = new DafError('ERR_DAF_NOT_FOUND', `${JSON_FILE} names it, and no copy of any size is there`);
      yield { name: `${typed}/${identity}.png`, fault };
      continue;
    }
    const name = `${typed}/${found}`;
    try {
      yield { name, path: join(root, found), identity, hint: hintOf(value), attributes: attributesOf(value) };
    } catch (error) {
      yield { name, fault: DafError.from(error) };
    }
  }
}

async function photoOf(root: string, name: string): Promise<string | null> {
  const thousand = `${name.slice(0, -3)}000`;
  for (const folder of FOLDERS) {
    for (const inner of [thousand, '']) {
      for (const ending of ENDINGS) {
        const path = join(folder, inner, `${name}.${ending}`);
        if ((await stat(join(root, path)).catch(() => null)) !== null) return path;
      }
    }
  }
  return null;
}

function hintOf(value: Record<string, unknown>): FaceHint {
  const image = value['image'] as { pixel_size?: unknown; face_landmarks?: unknown } | undefined;
  const size = image?.pixel_size;
  const points = image?.face_landmarks;
  const flat = Array.isArray(points) ? points.flat() : [];
  const whole = Array.isArray(size) && size.length === 2 && size.every((side) => Number.isInteger(side) && side > 0);
  if (!whole || flat.length !== 136 || !flat.every(Number.isFinite)) {
    throw new DafError('ERR_DAF_BAD_LANDMARKS', `${JSON_FILE}: image.pixel_size or its 68 image.face_landmarks are damaged`);
  }
  // dlib counts from 0 at the centre of the first pixel.
  return { size: size as [number, number], points68: flat.map((at: number) => at + 0.5), points5: null, box: null };
}

function attributesOf(value: Record<string, unknown>): Record<string, string> {
  const metadata = (value['metadata'] ?? {}) as Record<string, unknown>;
  const given = {
    category: value['category'],
    license: metadata['license'],
    author: metadata['author'],
    url: metadata['photo_url'],
  };
  return Object.fromEntries(Object.entries(given).filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}
