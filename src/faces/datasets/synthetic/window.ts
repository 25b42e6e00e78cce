import type { Window } from './camera.js';

/**
 * What a window shows of a square picture: whole pixels where it is not turned and lies on them, else linear interpolation. The window
 * lies within the picture.
 * @param data [from][from][channels] @param check called every row
 */
export function cutWindow(data: Uint8Array, from: number, channels: number, window: Window, check: () => void): Uint8Array {
  const { centerX, centerY, side, turn } = window;
  const out = new Uint8Array(side * side * channels);
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const last = from - 1;
  let at = 0;
  for (let row = 0; row < side; row++) {
    check();
    const v = row + 0.5 - side / 2;
    for (let column = 0; column < side; column++) {
      const u = column + 0.5 - side / 2;
      // Corners count from 0, so the first pixel's centre is at 0.5.
      const x = Math.min(last, Math.max(0, centerX + cos * u + sin * v - 0.5));
      const y = Math.min(last, Math.max(0, centerY - sin * u + cos * v - 0.5));
      const left = Math.floor(x);
      const top = Math.floor(y);
      const fx = x - left;
      const fy = y - top;
      const first = channels * (top * from + left);
      const right = left < last ? channels : 0;
      const below = top < last ? channels * from : 0;
      for (let c = first; c < first + channels; c++) {
        const upper = data[c]! + fx * (data[c + right]! - data[c]!);
        const lower = data[c + below]! + fx * (data[c + below + right]! - data[c + below]!);
        out[at++] = upper + fy * (lower - upper) + 0.5;
      }
    }
  }
  return out;
}

/** The picture as a mirror shows it. */
export function mirrored(data: Uint8Array, side: number, channels: number): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at += channels) {
    const pixel = at / channels;
    const row = Math.floor(pixel / side);
    const to = channels * (row * side + side - 1 - (pixel - row * side));
    for (let c = 0; c < channels; c++) out[to + c] = data[at + c]!;
  }
  return out;
}
