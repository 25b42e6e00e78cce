import { addon } from '../../core/addon/index.js';
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
  const { centerX, centerY, angle } = box;
  const turned = { centerX, centerY, width: box.width, height: box.height, cosine: Math.cos(angle), sine: Math.sin(angle) };
  addon().warpToPlanes(pixels.data, pixels.width, pixels.height, turned, width, height, norm, out);
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
