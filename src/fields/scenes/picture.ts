import { existsSync } from 'node:fs';
import { DafError } from '../../core/contracts/errors.js';
import { loadSharp } from '../../core/sharp.js';
import { badData } from '../formats/bad-data.js';
import type { ImageSize } from './intrinsics.js';
import type { Picture } from './raw.js';
import type { SceneImage } from './types.js';

const MAX_SIDE = 16384;

/** Size and alpha of a picture, from its header; pixels are stored upright (a camera's pose was found for them as they are stored). */
export async function pictureHeader(picture: Picture): Promise<ImageSize & { alpha: boolean }> {
  if (picture.kind === 'memory') return picture;
  const sharp = await loadSharp();
  try {
    const { width, height, hasAlpha } = await sharp(picture.file, { limitInputPixels: false }).metadata();
    if (width > MAX_SIDE || height > MAX_SIDE) {
      throw new DafError('ERR_DAF_IMAGE_TOO_LARGE', `${picture.file}: ${width}×${height} pixels; sides are at most ${MAX_SIDE}`);
    }
    return { width, height, alpha: hasAlpha };
  } catch (cause) {
    throw unreadable(picture.file, cause);
  }
}

/** Decodes a picture, which must have the size that its camera was made for. */
export async function decodePicture(picture: Picture, size: ImageSize): Promise<SceneImage> {
  if (picture.kind === 'memory') return { ...size, rgba: picture.rgba() };
  const rgba = await pixels(picture.file, 4, size);
  const mask = picture.mask === null ? {} : { mask: await pixels(picture.mask, 1, size) };
  return { ...size, rgba, ...mask };
}

/** Interleaved bytes with 4 channels (RGBA) or 1 (grey). */
async function pixels(file: string, channels: 1 | 4, size: ImageSize): Promise<Uint8Array> {
  const sharp = await loadSharp();
  try {
    const header = await sharp(file, { limitInputPixels: false }).metadata();
    if (header.width !== size.width || header.height !== size.height) {
      throw badData(`${file}: ${header.width}×${header.height} pixels, the camera was made for ${size.width}×${size.height}`);
    }
    const image = sharp(file, { failOn: 'error', limitInputPixels: size.width * size.height, sequentialRead: true, pages: 1 });
    const shaped =
      channels === 1 ? image.flatten().toColourspace('b-w').extractChannel(0) : image.toColourspace('srgb').ensureAlpha();
    const { data, info } = await shaped.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    if (info.channels !== channels) throw badData(`${file}: ${info.channels} channels where ${channels} are expected`);
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function unreadable(file: string, cause: unknown): DafError {
  if (DafError.is(cause)) return cause;
  if (!existsSync(file)) return new DafError('ERR_DAF_NOT_FOUND', `there is no ${file}`, { cause });
  const text = cause instanceof Error ? cause.message : String(cause);
  return new DafError('ERR_DAF_BAD_IMAGE', `${file}: not a readable picture: ${text.trim().split('\n').at(-1)}`, { cause });
}
