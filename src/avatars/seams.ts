import type { Head } from './head.js';

/** An edge of the head along which its texture is cut: where each end lies in the atlas on one side and on the other, u v u v, 0…1. */
interface Cut {
  readonly one: readonly number[];
  readonly other: readonly number[];
}

const known = new Map<string, readonly Cut[]>();

/**
 * Gives both sides of every cut between charts the same colours, so that no line shows where they meet, however a viewer filters.
 * @param texture [size][size][4], changed in place.
 */
export function closeSeams(head: Head, texture: Uint8Array, size: number): void {
  let cuts = known.get(head.info.name);
  if (cuts === undefined) {
    cuts = cutsOf(head);
    known.set(head.info.name, cuts);
  }
  const wanted = new Map<number, [number, number, number, number]>();
  for (const { one, other } of cuts) {
    const [a, b] = [one, other].map((ends) => Math.hypot(ends[2]! - ends[0]!, ends[3]! - ends[1]!)) as [number, number];
    // Two places a texel.
    const count = Math.max(1, Math.ceil(2 * size * Math.max(a, b)));
    for (let k = 0; k < count; k++) {
      const t = (k + 0.5) / count;
      const sides = [one, other].map((ends) =>
        around(size, ends[0]! + t * (ends[2]! - ends[0]!), ends[1]! + t * (ends[3]! - ends[1]!)),
      );
      for (let c = 0; c < 3; c++) {
        let mean = 0;
        for (const near of sides) for (const [texel, weight] of near) mean += 0.5 * weight * texture[4 * texel + c]!;
        for (const [texel, weight] of sides.flat()) {
          const sum = wanted.get(texel) ?? [0, 0, 0, 0];
          wanted.set(texel, sum);
          sum[c]! += weight * mean;
          if (c === 0) sum[3] += weight;
        }
      }
    }
  }
  for (const [texel, [r, g, b, weight]] of wanted) {
    if (weight < LEAST) continue;
    for (const [c, value] of [r, g, b].entries()) texture[4 * texel + c] = Math.round(value / weight);
  }
}

/** A texel that weighs less than this on a seam is not filtered into it. */
const LEAST = 1e-3;

/** The four texels that are mixed at a place of the atlas. */
function around(size: number, u: number, v: number): (readonly [number, number])[] {
  const [x, y] = [u * size - 0.5, v * size - 0.5];
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - x0, y - y0];
  const inside = (value: number): number => Math.min(size - 1, Math.max(0, value));
  const at = (dx: number, dy: number): number => inside(y0 + dy) * size + inside(x0 + dx);
  return [
    [at(0, 0), (1 - fx) * (1 - fy)],
    [at(1, 0), fx * (1 - fy)],
    [at(0, 1), (1 - fx) * fy],
    [at(1, 1), fx * fy],
  ];
}

/** Edges of two triangles of one part, whose ends lie in two places of the atlas. */
function cutsOf(head: Head): readonly Cut[] {
  const { uv, source, triangles, info } = head;
  const cuts: Cut[] = [];
  for (const { firstTriangle, triangleCount } of info.parts) {
    const open = new Map<string, readonly [number, number]>();
    for (let t = firstTriangle; t < firstTriangle + triangleCount; t++) {
      for (let k = 0; k < 3; k++) {
        const [a, b] = [triangles[3 * t + k]!, triangles[3 * t + ((k + 1) % 3)]!];
        const edge = source[a]! < source[b]! ? ([a, b] as const) : ([b, a] as const);
        const key = `${source[edge[0]]} ${source[edge[1]]}`;
        const beside = open.get(key);
        if (beside === undefined) {
          open.set(key, edge);
          continue;
        }
        open.delete(key);
        const [one, other] = [beside, edge].map((ends) => ends.flatMap((vertex) => [uv[2 * vertex]!, uv[2 * vertex + 1]!]));
        if (one!.some((value, i) => Math.abs(value - other![i]!) > 1e-6)) cuts.push({ one: one!, other: other! });
      }
    }
  }
  return cuts;
}
