import { DafError } from '../../core/contracts/errors.js';
import { formatBytes } from '../../core/options/index.js';
import type { PictureSize } from './orbit.js';

/** Of a pixel while a frame is rendered and encoded: colours twice (the encoder's too), depth, opacity, and what is encoded. */
const PIXEL_BYTES = 4 + 4 + 4 + 4 + 4;
const NORMAL_BYTES = 12;

/**
 * Whether a frame fits, before any of it is rendered.
 * @param memory bytes that frames may take
 * @throws DafError ERR_DAF_MEMORY_LIMIT with the size that would fit
 */
export function checkFrameMemory({ width, height }: PictureSize, memory: number, normals = false): void {
  const pixelBytes = PIXEL_BYTES + (normals ? NORMAL_BYTES : 0);
  const bytes = width * height * pixelBytes;
  if (bytes <= memory) return;
  const scale = Math.sqrt(memory / bytes);
  const fits = [width, height].map((side) => Math.max(1, Math.floor(side * scale))).join('x');
  throw new DafError(
    'ERR_DAF_MEMORY_LIMIT',
    `a frame of ${width}x${height} pixels takes ${formatBytes(bytes)}, there are ${formatBytes(memory)} for it`,
    { hint: `${fits} fits; or allow more memory` },
  );
}
