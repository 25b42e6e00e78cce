import { DafError } from '../../core/contracts/errors.js';
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphPixel } from './font.js';

export type Rgb = readonly [number, number, number];

/** An 8-bit RGB picture that things are put on. */
export class Picture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;

  constructor(width: number, height: number, color: Rgb) {
    this.width = width;
    this.height = height;
    this.rgb = new Uint8Array(width * height * 3);
    this.fill(0, 0, width, height, color);
  }

  fill(left: number, top: number, width: number, height: number, color: Rgb): void {
    if (height <= 0) return;
    const first = 3 * (top * this.width + left);
    for (let x = 0; x < width; x++) this.rgb.set(color, first + 3 * x);
    for (let y = 1; y < height; y++) this.rgb.copyWithin(first + 3 * y * this.width, first, first + 3 * width);
  }

  /** Composites straight-alpha RGBA (4 channels) or copies RGB (3). It must fit. */
  paste(left: number, top: number, width: number, height: number, pixels: Uint8Array, channels: 3 | 4): void {
    if (
      left < 0 ||
      top < 0 ||
      left + width > this.width ||
      top + height > this.height ||
      pixels.length !== width * height * channels
    ) {
      throw new DafError('ERR_DAF_INTERNAL', 'a pasted picture does not fit');
    }
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const from = channels * (y * width + x);
        const to = 3 * ((top + y) * this.width + left + x);
        const alpha = channels === 4 ? pixels[from + 3]! / 255 : 1;
        if (alpha === 0) continue;
        for (let c = 0; c < 3; c++) this.rgb[to + c] = Math.round(pixels[from + c]! * alpha + this.rgb[to + c]! * (1 - alpha));
      }
    }
  }

  /** One line; what does not fit into `maxWidth` pixels is cut. @returns pixels used. */
  text(left: number, top: number, line: string, color: Rgb, scale = 2, maxWidth = this.width - left): number {
    let at = left;
    for (const char of line.normalize('NFC')) {
      if (at + GLYPH_WIDTH * scale > left + maxWidth) break;
      for (let y = 0; y < GLYPH_HEIGHT; y++) {
        for (let x = 0; x < GLYPH_WIDTH - 1; x++) {
          if (glyphPixel(char, x, y)) this.fill(at + x * scale, top + y * scale, scale, scale, color);
        }
      }
      at += GLYPH_WIDTH * scale;
    }
    return at - left;
  }
}
