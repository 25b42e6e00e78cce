import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { badData } from '../bad-data.js';
import type { SparsePoints } from '../points.js';
import { readLines } from '../read-file.js';
import { COLMAP_MODELS, type ColmapCamera, type ColmapImage, type ColmapModel } from './model.js';

/**
 * cameras.txt, images.txt and points3D.txt of a folder.
 * @throws DafError ERR_DAF_BAD_DATA, ERR_DAF_NOT_FOUND, ERR_DAF_IO, ERR_DAF_CANCELLED
 */
export async function readColmapText(folder: string, signal?: AbortSignal): Promise<ColmapModel> {
  return {
    cameras: await cameras(join(folder, 'cameras.txt'), signal),
    images: await images(join(folder, 'images.txt'), signal),
    points: existsSync(join(folder, 'points3D.txt')) ? await points(join(folder, 'points3D.txt'), signal) : null,
  };
}

/** CAMERA_ID MODEL WIDTH HEIGHT PARAMS… */
async function cameras(path: string, signal?: AbortSignal): Promise<Map<number, ColmapCamera>> {
  const out = new Map<number, ColmapCamera>();
  for await (const [line, number] of entries(path, signal)) {
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
async function images(path: string, signal?: AbortSignal): Promise<ColmapImage[]> {
  const out: ColmapImage[] = [];
  let observations = false;
  for await (const [line, number] of entries(path, signal, true)) {
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
async function points(path: string, signal?: AbortSignal): Promise<SparsePoints> {
  let positions = new Float32Array(3 * 1024);
  let colors = new Uint8Array(3 * 1024);
  let at = 0;
  for await (const [line, number] of entries(path, signal)) {
    const words = line.split(/\s+/, 7);
    if (words.length < 7) throw badData(`${path}:${number}: a point takes at least 7 words`);
    if (at === positions.length) {
      positions = grown(positions, new Float32Array(2 * at));
      colors = grown(colors, new Uint8Array(2 * at));
    }
    for (let axis = 0; axis < 3; axis++) {
      positions[at + axis] = real(words[1 + axis], path, number);
      colors[at + axis] = real(words[4 + axis], path, number);
    }
    at += 3;
  }
  return { positions: positions.slice(0, at), colors: colors.slice(0, at) };
}

function grown<T extends Float32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Lines with their numbers, trimmed; comments are left out, empty lines too unless they count. */
async function* entries(
  path: string,
  signal: AbortSignal | undefined,
  empty = false,
): AsyncGenerator<[line: string, number: number]> {
  let number = 0;
  for await (const lines of readLines(path, signal)) {
    for (const line of lines) {
      number += 1;
      const text = line.trim();
      if (text.startsWith('#') || (text === '' && !empty)) continue;
      yield [text, number];
    }
  }
}

function real(word: string | undefined, path: string, line: number): number {
  const value = word === undefined || word === '' ? Number.NaN : Number(word);
  if (!Number.isFinite(value)) throw badData(`${path}:${line}: "${word ?? ''}" is not a finite number`);
  return value;
}
