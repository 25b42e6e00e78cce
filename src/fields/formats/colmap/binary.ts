import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { badData } from '../bad-data.js';
import type { SparsePoints } from '../points.js';
import { BinaryReader, withFileOpen } from '../read-file.js';
import { COLMAP_MODELS, type ColmapCamera, type ColmapImage, type ColmapModel } from './model.js';

const MAX_NAME = 4096;
/** Bytes of one entry without what may be empty in it. */
const CAMERA_BYTES = 24;
const IMAGE_BYTES = 73;
const POINT_BYTES = 51;
const OBSERVATION_BYTES = 24;
const TRACK_BYTES = 8;

/**
 * cameras.bin, images.bin and points3D.bin of a folder.
 * @throws DafError ERR_DAF_BAD_DATA, ERR_DAF_NOT_FOUND, ERR_DAF_IO, ERR_DAF_CANCELLED
 */
export async function readColmapBinary(folder: string, signal?: AbortSignal): Promise<ColmapModel> {
  const read = <T>(name: string, parse: (reader: BinaryReader, what: string, signal?: AbortSignal) => Promise<T>): Promise<T> => {
    const path = join(folder, name);
    return withFileOpen(path, (file, size) => parse(new BinaryReader(file.fd, size, path), path, signal));
  };
  return {
    cameras: await read('cameras.bin', cameras),
    images: await read('images.bin', images),
    points: existsSync(join(folder, 'points3D.bin')) ? await read('points3D.bin', points) : null,
  };
}

async function cameras(reader: BinaryReader, what: string, signal?: AbortSignal): Promise<Map<number, ColmapCamera>> {
  const out = new Map<number, ColmapCamera>();
  for (let left = reader.count(CAMERA_BYTES); left > 0; left--) {
    await reader.pause(signal);
    const id = reader.u32();
    const number = reader.i32();
    const model = COLMAP_MODELS[number];
    if (model === undefined) throw badData(`${what}: camera ${id} is of the unknown model number ${number}`);
    const [width, height] = [size(reader), size(reader)];
    out.set(id, { model: model[0], width, height, params: Array.from({ length: model[1] }, () => reader.f64()) });
  }
  return out;
}

function size(reader: BinaryReader): number {
  return reader.u32() + reader.u32() * 2 ** 32;
}

async function images(reader: BinaryReader, _what: string, signal?: AbortSignal): Promise<ColmapImage[]> {
  const out: ColmapImage[] = [];
  for (let left = reader.count(IMAGE_BYTES); left > 0; left--) {
    await reader.pause(signal);
    reader.skip(4); // id
    const rotation = [reader.f64(), reader.f64(), reader.f64(), reader.f64()] as const;
    const translation = [reader.f64(), reader.f64(), reader.f64()] as const;
    const cameraId = reader.u32();
    const name = reader.text(MAX_NAME);
    reader.skip(reader.count(OBSERVATION_BYTES) * OBSERVATION_BYTES);
    out.push({ name, cameraId, rotation, translation });
  }
  return out;
}

async function points(reader: BinaryReader, _what: string, signal?: AbortSignal): Promise<SparsePoints> {
  const count = reader.count(POINT_BYTES);
  const positions = new Float32Array(count * 3);
  const colors = new Uint8Array(count * 3);
  for (let i = 0; i < count; i++) {
    await reader.pause(signal);
    reader.skip(8); // id
    for (let axis = 0; axis < 3; axis++) positions[i * 3 + axis] = reader.f64();
    for (let c = 0; c < 3; c++) colors[i * 3 + c] = reader.u8();
    reader.skip(8); // error
    reader.skip(reader.count(TRACK_BYTES) * TRACK_BYTES);
  }
  return { positions, colors };
}
