import type { Metadata, Sharp } from 'sharp';
import { DafError } from '../../core/contracts/errors.js';
import { loadSharp } from '../../core/sharp.js';
import type { Box, Pixels } from '../types.js';
import { type Orientation, storedBox, swapsSides, upright } from './orient.js';

/** What the header says, checked against the memory allowed; nothing has been decoded yet. */
export interface PhotoHeader {
  readonly format: string;
  /** Upright. */
  readonly width: number;
  readonly height: number;
  readonly orientation: Orientation;
}

export const DEFAULT_DECODE_BYTES = 160 << 20;

/** Largest side that a photo may have: what libvips and every format here can address. */
const MAX_SIDE = 65_535;

/** Formats that hold photos. SVG, PDF and the like are drawings to be rendered and could name other files. */
const PHOTO_FORMATS = new Set(['jpeg', 'png', 'webp', 'tiff', 'gif', 'heif', 'avif', 'jxl', 'jp2']);

/**
 * @param input file name or the file's bytes.
 * @param decodeBytes what decoding may take.
 * @throws DafError ERR_DAF_BAD_IMAGE: not a photo, or a broken header. ERR_DAF_IMAGE_TOO_LARGE: decoding would take more.
 */
export async function readHeader(input: string | Uint8Array, decodeBytes = DEFAULT_DECODE_BYTES): Promise<PhotoHeader> {
  const sharp = await loadSharp();
  let metadata: Metadata;
  try {
    // No pixel limit: a header is not decoded, and the refusal shall say how large the photo is.
    metadata = await sharp(input, { limitInputPixels: false }).metadata();
  } catch (cause) {
    throw badImage(cause);
  }
  const { format, width, height } = metadata;
  if (!PHOTO_FORMATS.has(format)) throw new DafError('ERR_DAF_BAD_IMAGE', `${format} is not a photo format`);
  const need = decodeCost(metadata);
  if (need > decodeBytes || width > MAX_SIDE || height > MAX_SIDE) {
    throw new DafError(
      'ERR_DAF_IMAGE_TOO_LARGE',
      `${width}×${height} pixels (${format}) need ${megabytes(need)} MB to decode, ${megabytes(decodeBytes)} MB are allowed`,
      { hint: 'make the photo smaller, or give the workers more --memory' },
    );
  }
  const orientation = uprightNeeds(metadata);
  const swap = swapsSides(orientation);
  return { format, width: swap ? height : width, height: swap ? width : height, orientation };
}

/**
 * Bytes that libvips holds at once while it shrinks this picture: rows only where the format can be streamed, everything where
 * it cannot. At least one byte a pixel, which bounds the time too.
 */
export function decodeCost(metadata: Pick<Metadata, 'format' | 'width' | 'height'> & Partial<Metadata>): number {
  const pixels = metadata.width * metadata.height;
  const sampleBytes = metadata.depth === 'uchar' || metadata.depth === undefined ? 1 : 2;
  const channels = metadata.channels ?? 4;
  switch (metadata.format) {
    case 'jpeg':
      // Progressive: libjpeg keeps every coefficient (16 bits) whatever the scale.
      return metadata.isProgressive ? 2 * pixels * samplesPerPixel(metadata) : pixels;
    case 'png':
      return metadata.isProgressive ? pixels * channels * sampleBytes : pixels;
    case 'webp':
      return 4 * pixels;
    case 'tiff':
      // One strip may be the whole picture.
      return pixels * Math.max(1, channels * sampleBytes);
    default:
      // A canvas for the first frame and the decoder's own planes.
      return 8 * pixels * sampleBytes;
  }
}

function samplesPerPixel(metadata: Partial<Metadata>): number {
  if (metadata.channels === 1 || metadata.space === 'b-w') return 1;
  if (metadata.chromaSubsampling === '4:2:0') return 1.5;
  if (metadata.chromaSubsampling === '4:2:2') return 2;
  return metadata.channels === 4 ? 4 : 3;
}

function uprightNeeds(metadata: Metadata): Orientation {
  const { orientation } = metadata;
  return orientation !== undefined && orientation >= 1 && orientation <= 8 ? (orientation as Orientation) : 1;
}

/**
 * The whole photo, upright, sides at most `maxSide`; never enlarged. JPEG and WebP are shrunk while they load, and turning
 * happens after shrinking, so that 48 megapixels cost about as much as the result.
 * A truncated or damaged file is refused, as half a face gives a wrong avatar; warnings of a decoder that got every pixel are not held against it.
 */
export async function decodeScaled(input: string | Uint8Array, header: PhotoHeader, maxSide: number): Promise<Pixels> {
  const scale = Math.min(1, maxSide / Math.max(header.width, header.height));
  const width = Math.max(1, Math.round(header.width * scale));
  const height = Math.max(1, Math.round(header.height * scale));
  const swap = swapsSides(header.orientation);
  let image = await reader(input, header);
  if (scale < 1) image = image.resize(swap ? height : width, swap ? width : height, { fit: 'fill' });
  return upright(await toRgb(image), header.orientation);
}

/**
 * A part of the upright photo, scaled to width × height.
 * @param box whole pixels within the photo.
 */
export async function decodeRegion(
  input: string | Uint8Array,
  header: PhotoHeader,
  box: Box,
  width: number,
  height: number,
): Promise<Pixels> {
  const swap = swapsSides(header.orientation);
  const stored = storedBox(box, header.orientation, swap ? header.height : header.width, swap ? header.width : header.height);
  let image = (await reader(input, header)).extract({
    left: stored.x,
    top: stored.y,
    width: stored.width,
    height: stored.height,
  });
  if (width !== box.width || height !== box.height) {
    image = image.resize(swap ? height : width, swap ? width : height, { fit: 'fill' });
  }
  return upright(await toRgb(image), header.orientation);
}

/** Pixels scaled to another size. */
export async function resizePixels(pixels: Pixels, width: number, height: number): Promise<Pixels> {
  if (width === pixels.width && height === pixels.height) return pixels;
  const sharp = await loadSharp();
  return toRgb(sharp(pixels.data, { raw: pixels }).resize(width, height, { fit: 'fill' }));
}

async function reader(input: string | Uint8Array, header: PhotoHeader): Promise<Sharp> {
  const sharp = await loadSharp();
  return sharp(input, {
    failOn: 'error',
    // The header was checked; a decoder that then finds more pixels is lied to.
    limitInputPixels: header.width * header.height,
    sequentialRead: true,
    pages: 1,
  });
}

async function toRgb(image: Sharp): Promise<Pixels> {
  try {
    // Colour profiles are applied by sharp on the way to sRGB. White below alpha, as viewers show cut-out portraits.
    const { data, info } = await image
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const rgb = info.channels === 3 ? bytes : toThree(bytes, info.width * info.height, info.channels);
    return { width: info.width, height: info.height, channels: 3, data: rgb };
  } catch (cause) {
    throw badImage(cause);
  }
}

/** Grey (with or without alpha) or RGBA as RGB. */
function toThree(bytes: Uint8Array, count: number, channels: number): Uint8Array {
  const rgb = new Uint8Array(3 * count);
  for (let i = 0; i < count; ++i) {
    for (let c = 0; c < 3; ++c) rgb[3 * i + c] = bytes[channels * i + (channels >= 3 ? c : 0)]!;
  }
  return rgb;
}

function badImage(cause: unknown): DafError {
  if (DafError.is(cause)) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  const last = text.trim().split('\n').at(-1) ?? '';
  if (/pixel limit|dimensions exceed/i.test(text)) return new DafError('ERR_DAF_IMAGE_TOO_LARGE', last, { cause });
  const hint = /heif/i.test(text)
    ? 'convert it to JPEG: HEIC (HEVC) is not read here, AVIF is'
    : 'fetch or copy it again, or save it as JPEG or PNG';
  return new DafError('ERR_DAF_BAD_IMAGE', `not a readable photo: ${last}`, { hint, cause });
}

function megabytes(bytes: number): string {
  return (bytes / (1 << 20)).toFixed(0);
}
