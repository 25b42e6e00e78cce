import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { DafError } from '../../core/contracts/errors.js';
import type { PhotoSource } from '../types.js';

/** Landmark files are a few kilobytes; more is something else. */
const MAX_BYTES = 1 << 20;
/** Points may lie this share of the photo outside it: a chin that the border cuts off is still annotated. */
const OUTSIDE = 0.25;

/**
 * The side-car landmarks of a photo, or null. Beside photo.jpg are tried, in this order: photo.jpg.pts, photo.jpg.json, photo.pts,
 * photo.landmarks.json.
 * @throws DafError ERR_DAF_BAD_LANDMARKS, ERR_DAF_PERMISSION, ERR_DAF_NOT_FOUND (a side-car named by the caller), ERR_DAF_IO.
 */
export async function readSidecar(photo: PhotoSource, width: number, height: number): Promise<Float32Array | null> {
  if ('bytes' in photo) {
    return photo.sidecar === undefined ? null : parseLandmarks(photo.sidecar.name, photo.sidecar.bytes, width, height);
  }
  if (photo.sidecar === null) return null;
  if (photo.sidecar !== undefined) return readLandmarks(photo.sidecar, width, height);
  for (const path of sidecarPaths(photo.path)) {
    try {
      return await readLandmarks(path, width, height);
    } catch (error) {
      if (DafError.from(error).code !== 'ERR_DAF_NOT_FOUND') throw error;
    }
  }
  return null;
}

/** Candidates beside a photo, as bytes so that any name works. */
export function sidecarPaths(path: string | Buffer): Buffer[] {
  const bytes = typeof path === 'string' ? Buffer.from(path) : path;
  const slash = bytes.lastIndexOf('/');
  const dot = bytes.lastIndexOf('.');
  const stem = dot > slash + 1 ? bytes.subarray(0, dot) : bytes;
  const add = (base: Buffer, ending: string): Buffer => Buffer.concat([base, Buffer.from(ending)]);
  const found = [add(bytes, '.pts'), add(bytes, '.json'), add(stem, '.pts'), add(stem, '.landmarks.json')];
  return found.filter((file, i) => found.findIndex((other) => other.equals(file)) === i);
}

async function readLandmarks(path: string | Buffer, width: number, height: number): Promise<Float32Array> {
  let bytes: Buffer;
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await handle.stat();
      if (!stat.isFile() || stat.size > MAX_BYTES) throw bad(`${path} is no landmark file`);
      bytes = await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw DafError.from(error, 'ERR_DAF_IO');
  }
  return parseLandmarks(path.toString(), bytes, width, height);
}

/**
 * 68 points, in photo pixels of the upright photo (see types.ts).
 * `.pts`: iBUG's format; its coordinates count from 1 at the centre of the first pixel, so 0.5 is taken off.
 * JSON: `[[x, y], …]`, `[x0, y0, …]` or `{ "landmarks": … }` with either; (0, 0) is the photo's corner, pixel centres at +0.5.
 * With `"origin": "pixel"` they count from 0 at the centre of the first pixel, as most Python tools write them.
 */
export function parseLandmarks(name: string, bytes: Uint8Array, width: number, height: number): Float32Array {
  const text = new TextDecoder().decode(bytes);
  return checkLandmarks(name, name.toLowerCase().endsWith('.pts') ? parsePts(name, text) : parseJson(name, text), width, height);
}

/** @throws DafError ERR_DAF_BAD_LANDMARKS for points far outside the photo, or of no face. */
export function checkLandmarks(name: string, points: Float32Array, width: number, height: number): Float32Array {
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = [points[i]!, points[i + 1]!];
    if (!Number.isFinite(x) || !Number.isFinite(y)) throw bad(`${name}: point ${i / 2 + 1} is not a number`);
    const inside = x >= -OUTSIDE * width && x <= (1 + OUTSIDE) * width && y >= -OUTSIDE * height && y <= (1 + OUTSIDE) * height;
    if (!inside) throw bad(`${name}: point ${i / 2 + 1} (${x}, ${y}) lies outside the ${width}×${height} photo`);
  }
  const across = Math.hypot(points[90]! - points[72]!, points[91]! - points[73]!);
  if (!(across >= 4)) throw bad(`${name}: the outer eye corners are ${across.toFixed(1)} pixels apart, 4 are needed`);
  return points;
}

/** 68 landmarks in iBUG's format, as {@link parseLandmarks} reads it back. @param landmarks [68][2] photo pixels */
export function ptsText(landmarks: Float32Array): string {
  const lines = Array.from({ length: landmarks.length / 2 }, (_, i) => {
    return `${(landmarks[2 * i]! + 0.5).toFixed(3)} ${(landmarks[2 * i + 1]! + 0.5).toFixed(3)}`;
  });
  return `version: 1\nn_points: ${lines.length}\n{\n${lines.join('\n')}\n}\n`;
}

function parsePts(name: string, text: string): Float32Array {
  const match = /^\s*version:\s*\S+\s+n_points:\s*(\d+)\s*\{([^{}]*)\}\s*$/.exec(text);
  if (match === null) throw bad(`${name} is not "version: 1  n_points: 68  { x y … }"`);
  const numbers = match[2]!.trim().split(/\s+/).map(Number);
  if (match[1] !== '68' || numbers.length !== 136) {
    throw bad(`${name}: says ${match[1]} points and holds ${numbers.length / 2}, expected 68`);
  }
  return Float32Array.from(numbers, (value) => value - 0.5);
}

function parseJson(name: string, text: string): Float32Array {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw bad(`${name} is not JSON: ${(cause as Error).message}`, cause);
  }
  let shift = 0;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const { landmarks, origin } = value as { landmarks?: unknown; origin?: unknown };
    if (origin !== undefined && origin !== 'corner' && origin !== 'pixel') {
      throw bad(`${name}: origin is "corner" or "pixel", not ${JSON.stringify(origin)}`);
    }
    shift = origin === 'pixel' ? 0.5 : 0;
    value = landmarks;
  }
  if (!Array.isArray(value)) throw bad(`${name} holds no array of landmarks`);
  const flat = value.length === 136 ? value : value.flatMap((point) => (isPair(point) ? point : [NaN]));
  const count = value.length === 136 ? 68 : value.length;
  if (count !== 68) throw bad(`${name} holds ${count} points, expected 68`);
  if (!flat.every((number) => typeof number === 'number') || flat.length !== 136) {
    throw bad(`${name}: each point is [x, y], both numbers`);
  }
  return Float32Array.from(flat as number[], (number) => number + shift);
}

function isPair(point: unknown): point is [unknown, unknown] {
  return Array.isArray(point) && point.length === 2;
}

function bad(message: string, cause?: unknown): DafError {
  return new DafError('ERR_DAF_BAD_LANDMARKS', message, { cause });
}
