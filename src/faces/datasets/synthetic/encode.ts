import { loadSharp } from '../../../core/sharp.js';

/**
 * Photos are JPEG, as photos are: as PNG they would take a dozen times the room. At this quality what is lost is about as much as the noise
 * that the photos have anyway.
 */
const QUALITY = 92;

/** @param rgb [side][side][3]. @param quality of a variant that is saved more coarsely, as the web does. */
export async function encodePhoto(rgb: Uint8Array, side: number, quality: number | null): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return sharp(rgb, { raw: { width: side, height: side, channels: 3 } })
    .jpeg({ quality: quality ?? QUALITY, chromaSubsampling: quality === null ? '4:4:4' : '4:2:0' })
    .toBuffer();
}

/** Greyscale PNG of 8 bits. */
export async function encodeMask(mask: Uint8Array, side: number): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return sharp(mask, { raw: { width: side, height: side, channels: 1 } })
    .toColourspace('b-w')
    .png({ compressionLevel: 6, palette: false })
    .toBuffer();
}
