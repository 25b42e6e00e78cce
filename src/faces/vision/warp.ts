import type { Pixels } from '../types.js';

/** A rectangle of a picture, turned about its centre: its up direction points `angle` radians clockwise from the picture's. */
export interface TurnedBox {
  readonly centerX: number;
  readonly centerY: number;
  /** Negative: seen in a mirror. */
  readonly width: number;
  readonly height: number;
  readonly angle: number;
}

/**
 * The content of `box`, stretched to width × height, as planes [3][height][width] of (value − mean) · factor. Averages over the
 * source pixels below an output pixel where it shrinks, interpolates linearly where it enlarges; `outside` (0…255) is seen
 * beyond the picture.
 */
export function warpToPlanes(
  pixels: Pixels,
  box: TurnedBox,
  width: number,
  height: number,
  norm: { readonly order: 'rgb' | 'bgr'; readonly mean: number; readonly factor: number; readonly outside: number },
  out: Float32Array,
): void {
  const cos = Math.cos(box.angle);
  const sin = Math.sin(box.angle);
  const stepX = box.width / width;
  const stepY = box.height / height;
  const taps = Math.min(16, Math.max(1, Math.ceil(Math.max(Math.abs(stepX), stepY) - 0.01)));
  const plane = width * height;
  const [first, last] = norm.order === 'rgb' ? [0, 2 * plane] : [2 * plane, 0];
  const share = 1 / (taps * taps);
  const { data, width: columns, height: rows } = pixels;
  const border = [0, 0, 0];
  for (let y = 0; y < height; ++y) {
    for (let x = 0; x < width; ++x) {
      let [red, green, blue] = [0, 0, 0];
      for (let j = 0; j < taps; ++j) {
        const v = (y + (j + 0.5) / taps) * stepY - box.height / 2;
        for (let i = 0; i < taps; ++i) {
          const u = (x + (i + 0.5) / taps) * stepX - box.width / 2;
          const sx = box.centerX + u * cos - v * sin - 0.5;
          const sy = box.centerY + u * sin + v * cos - 0.5;
          const [left, top] = [Math.floor(sx), Math.floor(sy)];
          const [fx, fy] = [sx - left, sy - top];
          if (left < 0 || top < 0 || left + 1 >= columns || top + 1 >= rows) {
            sampleAtBorder(pixels, left, top, fx, fy, norm.outside, border);
            red += border[0]!;
            green += border[1]!;
            blue += border[2]!;
            continue;
          }
          // The loop that landmarks wait for: no array, no call.
          const [w0, w1, w2, w3] = [(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy];
          const above = 3 * (top * columns + left);
          const below = above + 3 * columns;
          red += w0 * data[above]! + w1 * data[above + 3]! + w2 * data[below]! + w3 * data[below + 3]!;
          green += w0 * data[above + 1]! + w1 * data[above + 4]! + w2 * data[below + 1]! + w3 * data[below + 4]!;
          blue += w0 * data[above + 2]! + w1 * data[above + 5]! + w2 * data[below + 2]! + w3 * data[below + 5]!;
        }
      }
      const at = y * width + x;
      out[first + at] = (red * share - norm.mean) * norm.factor;
      out[plane + at] = (green * share - norm.mean) * norm.factor;
      out[last + at] = (blue * share - norm.mean) * norm.factor;
    }
  }
}

/** The linearly interpolated colour where some of the four pixels may lie outside the picture. */
function sampleAtBorder(
  { width, height, data }: Pixels,
  left: number,
  top: number,
  fx: number,
  fy: number,
  outside: number,
  color: number[],
): void {
  color.fill(0);
  for (let corner = 0; corner < 4; ++corner) {
    const px = left + (corner & 1);
    const py = top + (corner >> 1);
    const weight = (corner & 1 ? fx : 1 - fx) * (corner >> 1 ? fy : 1 - fy);
    const inside = px >= 0 && py >= 0 && px < width && py < height;
    const at = 3 * (py * width + px);
    for (let c = 0; c < 3; ++c) color[c] = color[c]! + weight * (inside ? data[at + c]! : outside);
  }
}

/** Points given in the stretched output of `warpToPlanes`, 0…1 on both axes, as positions in the picture. */
export function fromTurnedBox(box: TurnedBox, unit: ArrayLike<number>, out: Float32Array): void {
  const cos = Math.cos(box.angle);
  const sin = Math.sin(box.angle);
  for (let i = 0; i + 1 < out.length; i += 2) {
    const u = (unit[i]! - 0.5) * box.width;
    const v = (unit[i + 1]! - 0.5) * box.height;
    out[i] = box.centerX + u * cos - v * sin;
    out[i + 1] = box.centerY + u * sin + v * cos;
  }
}

/** The smallest box at this angle around the points. */
export function turnedBounds(points: ArrayLike<number>, angle: number): TurnedBox {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  let [minU, maxU, minV, maxV] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i + 1 < points.length; i += 2) {
    const u = points[i]! * cos + points[i + 1]! * sin;
    const v = -points[i]! * sin + points[i + 1]! * cos;
    minU = Math.min(minU, u);
    maxU = Math.max(maxU, u);
    minV = Math.min(minV, v);
    maxV = Math.max(maxV, v);
  }
  const u = (minU + maxU) / 2;
  const v = (minV + maxV) / 2;
  return { centerX: u * cos - v * sin, centerY: u * sin + v * cos, width: maxU - minU, height: maxV - minV, angle };
}

/**
 * How far a face's up direction is turned clockwise, from its 68 landmarks. The line through the eyes says it for frontal faces,
 * but shrinks and skews in profile, where the line from the eyes to the mouth still stands: the sum of both weighs them by length.
 */
export function rollOf(points: ArrayLike<number>): number {
  const [rightX, rightY] = centerOf(points, 36, 42);
  const [leftX, leftY] = centerOf(points, 42, 48);
  const [mouthX, mouthY] = centerOf(points, 48, 60);
  const downX = mouthX - (rightX + leftX) / 2;
  const downY = mouthY - (rightY + leftY) / 2;
  return Math.atan2(leftY - rightY - downX, leftX - rightX + downY);
}

function centerOf(points: ArrayLike<number>, from: number, to: number): [number, number] {
  let [x, y] = [0, 0];
  for (let i = from; i < to; ++i) {
    x += points[2 * i]!;
    y += points[2 * i + 1]!;
  }
  return [x / (to - from), y / (to - from)];
}
