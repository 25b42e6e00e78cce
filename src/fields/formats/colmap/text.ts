import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { badData } from '../bad-data.js';
import type { SparsePoints } from '../points.js';
import { readLines } from '../read-file.js';
import { COLMAP_MODELS, type ColmapCamera, type ColmapImage, type ColmapModel } from './model.js';

/** cameras.txt, images.txt and points3D.txt of a folder. @throws DafError ERR_DAF_BAD_DATA, ERR_DAF_NOT_FOUND, ERR_DAF_IO */
export function readColmapText(folder: string): ColmapModel {
  return {
    cameras: cameras(join(folder, 'cameras.txt')),
    images: images(join(folder, 'images.txt')),
    points: existsSync(join(folder, 'points3D.txt')) ? points(join(folder, 'points3D.txt')) : null,
  };
}

/** CAMERA_ID MODEL WIDTH HEIGHT PARAMS… */
function cameras(path: string): Map<number, ColmapCamera> {
  const out = new Map<number, ColmapCamera>();
  for (const [line, number] of entries(path)) {
    const [id, model = '', ...rest] = line.split(/\s+/);
    const known = COLMAP_MODELS.find(([name]) => name === model);
    if (known === undefined) throw badData(`${path}:${number}: camera ${id} is of the unknown model "${model}"`);
    const [width, height, ...params] = rest.map((word) => real(word, path, number));
    if (height === undefined || params.length !== known[1]) {
      throw badData(`${path}:${number}: ${model} takes ${known[1]} parameters, ${params.length} are given`);
    }
    out.set(real(id, path, number), { model, width: width!, height, params });
  }
  return out;
}

/** IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME, then a line (which may be empty) of what was seen in it. */
function images(path: string): ColmapImage[] {
  const out: ColmapImage[] = [];
  let observations = false;
  for (const [line, number] of entries(path, true)) {
    if (observations) {
      observations = false;
      continue;
    }
    if (line === '') continue;
    observations = true;
    const words = line.split(/\s+/);
    const [w, x, y, z, tx, ty, tz, cameraId] = words.slice(1, 9).map((word) => real(word, path, number));
    // A name may hold spaces.
    const name = /^(?:\S+\s+){9}(.+)$/.exec(line)?.[1];
    if (name === undefined) throw badData(`${path}:${number}: an image takes 10 words, ${words.length} are given`);
    out.push({ name, cameraId: cameraId!, rotation: [w!, x!, y!, z!], translation: [tx!, ty!, tz!] });
  }
  return out;
}

/** POINT3D_ID X Y Z R G B ERROR TRACK… */
function points(path: string): SparsePoints {
  const positions: number[] = [];
  const colors: number[] = [];
  for (const [line, number] of entries(path)) {
    const words = line.split(/\s+/, 7);
    if (words.length < 7) throw badData(`${path}:${number}: a point takes at least 7 words`);
    for (const [i, word] of words.entries()) if (i > 0) (i < 4 ? positions : colors).push(real(word, path, number));
  }
  return { positions: Float32Array.from(positions), colors: Uint8Array.from(colors) };
}

/** Lines with their numbers, trimmed; comments are left out, empty lines too unless they count. */
function* entries(path: string, empty = false): Generator<[line: string, number: number]> {
  let number = 0;
  for (const line of readLines(path)) {
    number += 1;
    const text = line.trim();
    if (text.startsWith('#') || (text === '' && !empty)) continue;
    yield [text, number];
  }
}

function real(word: string | undefined, path: string, line: number): number {
  const value = word === undefined || word === '' ? Number.NaN : Number(word);
  if (!Number.isFinite(value)) throw badData(`${path}:${line}: "${word ?? ''}" is not a finite number`);
  return value;
}
