/** A square picture of grey values, 0…255. */
export interface GreyCrop {
  readonly side: number;
  readonly data: Float32Array;
}

export type Point = readonly [number, number];

/** Crops are this wide, and the eyes stand here in them: a face from the brows to the chin fits. */
export const CROP_SIDE = 128;
const EYES: readonly [Point, Point] = [
  [44, 40],
  [84, 40],
];

/** Pixels of a picture for pixels of its crop: [a, b, x, y] as (a·u − b·v + x, b·u + a·v + y). */
export type CropMap = readonly [number, number, number, number];

/** @param right @param left the middles of the subject's eyes in the picture; its right eye stands left. */
export function cropMap(right: Point, left: Point): CropMap {
  const width = EYES[1][0] - EYES[0][0];
  const [a, b] = [(left[0] - right[0]) / width, (left[1] - right[1]) / width];
  return [a, b, right[0] - a * EYES[0][0] + b * EYES[0][1], right[1] - b * EYES[0][0] - a * EYES[0][1]];
}

export function toCrop([a, b, x, y]: CropMap, [px, py]: Point): Point {
  const square = a * a + b * b;
  const [dx, dy] = [px - x, py - y];
  return [(a * dx + b * dy) / square, (a * dy - b * dx) / square];
}

/**
 * Samples a value at every pixel of the crop, averaged over the pixel where the picture is finer.
 * @param at the picture's value at a pixel; called inside it only.
 */
export function cropOf(width: number, height: number, map: CropMap, at: (x: number, y: number) => number): GreyCrop {
  const [a, b, x0, y0] = map;
  const fine = Math.min(8, Math.max(1, Math.ceil(Math.hypot(a, b))));
  const data = new Float32Array(CROP_SIDE * CROP_SIDE);
  const inside = (value: number, size: number): number => Math.min(size - 1, Math.max(0, value));
  for (let i = 0; i < data.length; ++i) {
    let sum = 0;
    for (let k = 0; k < fine * fine; ++k) {
      const u = (i % CROP_SIDE) + ((k % fine) + 0.5) / fine;
      const v = Math.floor(i / CROP_SIDE) + (Math.floor(k / fine) + 0.5) / fine;
      const [x, y] = [a * u - b * v + x0 - 0.5, b * u + a * v + y0 - 0.5];
      const [left, top] = [Math.floor(x), Math.floor(y)];
      const [p, q] = [x - left, y - top];
      const value = (dx: number, dy: number): number => at(inside(left + dx, width), inside(top + dy, height));
      sum += (1 - q) * ((1 - p) * value(0, 0) + p * value(1, 0)) + q * ((1 - p) * value(0, 1) + p * value(1, 1));
    }
    data[i] = sum / (fine * fine);
  }
  return { side: CROP_SIDE, data };
}

/** [side][side]: 1 inside the convex hull of points, which are in the crop. */
export function hullMask(points: readonly Point[], side = CROP_SIDE): Uint8Array {
  const hull = convexHull(points);
  const mask = new Uint8Array(side * side);
  for (let i = 0; i < mask.length; ++i) {
    const [x, y] = [(i % side) + 0.5, Math.floor(i / side) + 0.5];
    mask[i] = hull.every((p, k) => cross(p, hull[(k + 1) % hull.length]!, [x, y]) >= 0) ? 1 : 0;
  }
  return mask;
}

function convexHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((p, q) => p[0] - q[0] || p[1] - q[1]);
  const half = (list: readonly Point[]): Point[] => {
    const chain: Point[] = [];
    for (const p of list) {
      while (chain.length >= 2 && cross(chain.at(-2)!, chain.at(-1)!, p) <= 0) chain.pop();
      chain.push(p);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.reverse())];
}

const cross = (o: Point, a: Point, b: Point): number => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);

const CELL = 8;
const BINS = 9;
/** Where a block is cut off before it is normalised again (Dalal and Triggs 2005). */
const MOST = 0.2;

/**
 * Histograms of oriented gradients (Dalal and Triggs 2005): cells of 8 pixels, 9 unsigned orientations, blocks of 2×2 cells in L2-Hys.
 * Gradients are taken of the whole crop, then those outside the mask left out, so that the mask's border is no edge.
 * @param mask [side][side], not 0 where pixels count; its border pixels do not.
 */
export function hog({ side, data }: GreyCrop, mask: Uint8Array): Float32Array {
  const cells = side / CELL;
  const histograms = new Float32Array(cells * cells * BINS);
  for (let y = 1; y < side - 1; ++y) {
    for (let x = 1; x < side - 1; ++x) {
      const i = y * side + x;
      if (mask[i] === 0 || mask[i - 1] === 0 || mask[i + 1] === 0 || mask[i - side] === 0 || mask[i + side] === 0) continue;
      const [dx, dy] = [data[i + 1]! - data[i - 1]!, data[i + side]! - data[i - side]!];
      const strength = Math.hypot(dx, dy);
      // Bin k is around (k + ½)·20°.
      const turn = (((Math.atan2(dy, dx) / Math.PI + 1) % 1) * BINS - 0.5 + BINS) % BINS;
      const [column, row] = [(x + 0.5) / CELL - 0.5, (y + 0.5) / CELL - 0.5];
      spread(column, (cx, wx) => {
        spread(row, (cy, wy) => {
          if (cx < 0 || cy < 0 || cx >= cells || cy >= cells) return;
          spread(turn, (bin, wb) => {
            histograms[(cy * cells + cx) * BINS + (bin % BINS)]! += strength * wx * wy * wb;
          });
        });
      });
    }
  }
  const blocks = cells - 1;
  const out = new Float32Array(blocks * blocks * 4 * BINS);
  for (let block = 0; block < blocks * blocks; ++block) {
    const [bx, by] = [block % blocks, Math.floor(block / blocks)];
    const part = out.subarray(block * 4 * BINS, (block + 1) * 4 * BINS);
    for (let k = 0; k < 4; ++k) {
      const cell = (by + (k >> 1)) * cells + bx + (k & 1);
      part.set(histograms.subarray(cell * BINS, (cell + 1) * BINS), k * BINS);
    }
    normalise(part, FAINT);
    for (let k = 0; k < part.length; ++k) part[k] = Math.min(MOST, part[k]!);
    normalise(part, 1e-6);
  }
  return out;
}

function spread(value: number, add: (index: number, weight: number) => void): void {
  const low = Math.floor(value);
  add(low, 1 - (value - low));
  add(low + 1, value - low);
}

/** Norm of a block's histograms below which its gradients are mostly noise. */
const FAINT = 16;

function normalise(part: Float32Array, floor: number): void {
  const norm = Math.sqrt(part.reduce((sum, value) => sum + value * value, floor * floor));
  for (let k = 0; k < part.length; ++k) part[k]! /= norm;
}

/** Cosine of two vectors, −1…1; 0 where one is empty. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; ++i) {
    ab += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
}

/** How often a value of the first list is the larger one of a pair, ties counting half: the area under the ROC curve. */
export function areaUnderCurve(same: readonly number[], different: readonly number[]): number {
  let sum = 0;
  for (const a of same) for (const b of different) sum += a > b ? 1 : a === b ? 0.5 : 0;
  return sum / (same.length * different.length);
}
