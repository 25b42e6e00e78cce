import type { Draws } from './random.js';

/** A Gaussian's ends beyond this many standard deviations are cut off. */
const REACH = 3;

/** Blurs sRGB [side][side][3] in place. @param sigma pixels @param check called every row */
export function blur(rgb: Uint8Array, side: number, sigma: number, check: () => void): void {
  const reach = Math.ceil(REACH * sigma);
  const weights = Float64Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)));
  const sum = weights.reduce((all, each) => all + each, 0);
  const rows = new Float32Array(side * side);
  const last = side - 1;
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < side; y++) {
      check();
      for (let x = 0; x < side; x++) {
        let total = 0;
        for (let k = -reach; k <= reach; k++) {
          total += weights[k + reach]! * rgb[3 * (y * side + Math.min(last, Math.max(0, x + k))) + c]!;
        }
        rows[y * side + x] = total / sum;
      }
    }
    for (let y = 0; y < side; y++) {
      check();
      for (let x = 0; x < side; x++) {
        let total = 0;
        for (let k = -reach; k <= reach; k++) total += weights[k + reach]! * rows[Math.min(last, Math.max(0, y + k)) * side + x]!;
        rgb[3 * (y * side + x) + c] = total / sum + 0.5;
      }
    }
  }
}

/** Multiplies linear light, a factor a channel: exposure and white balance. In place. */
export function gain(rgb: Uint8Array, factors: readonly number[]): void {
  const tables = factors.map((factor) => Uint8Array.from({ length: 256 }, (_, value) => toSrgb(factor * toLinear(value))));
  for (let at = 0; at < rgb.length; at++) rgb[at] = tables[at % 3]![rgb[at]!]!;
}

/** Adds noise, near enough Gaussian, to every value. In place. @param sigma of 255 */
export function noise(rgb: Uint8Array, sigma: number, draws: Draws): void {
  // The sum of four bytes has a standard deviation of 147.8.
  const factor = sigma / 147.8;
  for (let at = 0; at < rgb.length; at++) {
    const bits = draws.bits();
    const sum = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24);
    rgb[at] = Math.min(255, Math.max(0, rgb[at]! + factor * (sum - 510) + 0.5));
  }
}

function toLinear(value: number): number {
  const v = value / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
}

function toSrgb(linear: number): number {
  const v = Math.min(1, Math.max(0, linear));
  return 255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055) + 0.5;
}
