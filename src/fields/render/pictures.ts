import { loadSharp } from '../../core/sharp.js';

/** Anything with 8-bit RGBA pixels. */
interface Rgba {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
}

/** Lossless. The same pixels give the same bytes. */
export async function encodePng(image: Rgba): Promise<Uint8Array> {
  return (await raw(image)).png({ compressionLevel: 6 }).toBuffer();
}

/** A still WebP, for a frame of an animation too. @param quality 1–100, or `lossless` */
export async function encodeWebp(image: Rgba, quality: number | 'lossless' = 90): Promise<Uint8Array> {
  const how = quality === 'lossless' ? { lossless: true, exact: true } : { quality, alphaQuality: 100, effort: 3 };
  return (await raw(image)).webp(how).toBuffer();
}

async function raw({ rgba, width, height }: Rgba) {
  const sharp = await loadSharp();
  return sharp(rgba, { raw: { width, height, channels: 4 } });
}

/** Depths as grey: white the nearest of the picture, dark grey the farthest, transparent where nothing is. */
export function depthPicture(depth: Float32Array, width: number, height: number): Rgba {
  let near = Number.POSITIVE_INFINITY;
  let far = 0;
  for (const d of depth) {
    if (!Number.isFinite(d)) continue;
    near = Math.min(near, d);
    far = Math.max(far, d);
  }
  const rgba = new Uint8Array(width * height * 4);
  for (let i = 0; i < depth.length; i++) {
    if (!Number.isFinite(depth[i])) continue;
    rgba.fill(255 - Math.round((223 * (depth[i]! - near)) / (far - near || 1)), i * 4, i * 4 + 3);
    rgba[i * 4 + 3] = 255;
  }
  return { width, height, rgba };
}

/** Normals as colours: each axis from −1…1 to 0…255, transparent where nothing is. */
export function normalPicture(normal: Float32Array, width: number, height: number): Rgba {
  const rgba = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    const n = normal.subarray(i * 3, i * 3 + 3);
    if (n[0] === 0 && n[1] === 0 && n[2] === 0) continue;
    for (let a = 0; a < 3; a++) rgba[i * 4 + a] = Math.round(127.5 + 127.5 * n[a]!);
    rgba[i * 4 + 3] = 255;
  }
  return { width, height, rgba };
}
