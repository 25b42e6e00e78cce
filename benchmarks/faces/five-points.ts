import { openSession } from '#daf/faces/models/ort.js';
import type { Box, Pixels } from '#daf/faces/types.js';
import { resizePixels } from '#daf/faces/vision/decode.js';

/** The least that landmarks must beat: a rigid mean head laid through a detector's five points. */
export interface FivePoints {
  /** Right eye, left eye, nose tip, right and left corner of the mouth, x and y in the picture; null where nothing fits the box. */
  find(pixels: Pixels, box: Box): Promise<number[] | null>;
  dispose(): Promise<void>;
}

const LONGEST = 640;

/** Five points by a YuNet model of free size. */
export async function openFivePoints(file: string): Promise<FivePoints> {
  const session = await openSession(file);
  return {
    async find(pixels, box) {
      const scale = LONGEST / Math.max(pixels.width, pixels.height);
      const level = await resizePixels(pixels, Math.round(pixels.width * scale), Math.round(pixels.height * scale));
      const [width, height] = [level.width, level.height].map((side) => 32 * Math.ceil(side / 32)) as [number, number];
      const planes = new Float32Array(3 * width * height);
      for (let y = 0; y < level.height; ++y) {
        for (let x = 0; x < level.width; ++x) {
          for (let c = 0; c < 3; ++c) planes[((2 - c) * height + y) * width + x] = level.data[3 * (y * level.width + x) + c]!;
        }
      }
      const outputs = await session.run(planes, width, height);
      let best: { points: number[]; score: number } | null = null;
      for (const stride of [8, 16, 32]) {
        const [cls, obj, kps] = ['cls', 'obj', 'kps'].map((kind) => outputs.get(`${kind}_${stride}`)!);
        const columns = width / stride;
        for (let cell = 0; cell < cls!.length; ++cell) {
          const score = Math.sqrt(cls![cell]! * obj![cell]!);
          if (score < 0.5 || score <= (best?.score ?? 0)) continue;
          const corner = [cell % columns, Math.floor(cell / columns)];
          const points = Array.from({ length: 10 }, (_, i) => ((kps![10 * cell + i]! + corner[i & 1]!) * stride) / scale);
          const [x, y] = [points[4]!, points[5]!];
          if (x < box.x || y < box.y || x > box.x + box.width || y > box.y + box.height) continue;
          best = { points, score };
        }
      }
      return best?.points ?? null;
    },
    dispose: () => session.release(),
  };
}

/** The mean head's points [68][3], y up. */
export type MeanHead = ReadonlyArray<readonly [number, number, number]>;

/** 68 points [136] and rotation of a rigid head under scaled orthography that lies best through five points. */
export function layRigid(head: MeanHead, five: readonly number[]): { points: Float32Array; rotation: number[] } {
  const middle = (from: number, to: number): number[] =>
    [0, 1, 2].map((c) => head.slice(from, to).reduce((sum, p) => sum + p[c]!, 0) / (to - from));
  const anchors = [middle(36, 42), middle(42, 48), [...head[30]!], [...head[48]!], [...head[54]!]];
  // Rotation vector, logarithm of the scale, shift.
  const seen = (k: number): [number, number] => [five[2 * k]!, five[2 * k + 1]!];
  const eyes = Math.hypot(seen(1)[0] - seen(0)[0], seen(1)[1] - seen(0)[1]);
  const drop = Math.hypot(
    (seen(3)[0] + seen(4)[0] - seen(0)[0] - seen(1)[0]) / 2,
    (seen(3)[1] + seen(4)[1] - seen(0)[1] - seen(1)[1]) / 2,
  );
  const size = Math.max(eyes / (anchors[1]![0]! - anchors[0]![0]!), drop / (anchors[0]![1]! - anchors[3]![1]!));
  let best: { x: number[]; cost: number } | null = null;
  for (const yaw of [-0.8, 0, 0.8]) {
    let x = [0, yaw, 0, Math.log(size), seen(2)[0], seen(2)[1]];
    let cost = costOf(anchors, five, x);
    let damping = 1e-3;
    for (let i = 0; i < 60; ++i) {
      const step = gaussNewton(anchors, five, x, damping);
      const next = x.map((value, k) => value - step[k]!);
      const after = costOf(anchors, five, next);
      if (after < cost) [x, cost, damping] = [next, after, damping / 3];
      else damping *= 5;
    }
    if (best === null || cost < best.cost) best = { x, cost };
  }
  return { points: Float32Array.from(head.flatMap((p) => project(p, best!.x))), rotation: rotationOf(best!.x) };
}

function rotationOf([x, y, z]: readonly number[]): number[] {
  const angle = Math.hypot(x!, y!, z!) || 1e-12;
  const [a, b, c] = [x! / angle, y! / angle, z! / angle];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const t = 1 - cos;
  return [
    cos + a * a * t,
    a * b * t - c * sin,
    a * c * t + b * sin,
    a * b * t + c * sin,
    cos + b * b * t,
    b * c * t - a * sin,
    a * c * t - b * sin,
    b * c * t + a * sin,
    cos + c * c * t,
  ];
}

function project(p: readonly number[], x: readonly number[]): [number, number] {
  const r = rotationOf(x);
  const scale = Math.exp(x[3]!);
  return [
    x[4]! + scale * (r[0]! * p[0]! + r[1]! * p[1]! + r[2]! * p[2]!),
    x[5]! - scale * (r[3]! * p[0]! + r[4]! * p[1]! + r[5]! * p[2]!),
  ];
}

function residuals(anchors: readonly (readonly number[])[], five: readonly number[], x: readonly number[]): number[] {
  return anchors.flatMap((p, k) => project(p, x).map((value, c) => value - five[2 * k + c]!));
}

function costOf(anchors: readonly (readonly number[])[], five: readonly number[], x: readonly number[]): number {
  return residuals(anchors, five, x).reduce((sum, value) => sum + value * value, 0);
}

/** Levenberg–Marquardt's step with slopes by differences. */
function gaussNewton(
  anchors: readonly (readonly number[])[],
  five: readonly number[],
  x: readonly number[],
  damping: number,
): number[] {
  const r = residuals(anchors, five, x);
  const slopes = x.map((_, k) => {
    const step = k < 4 ? 1e-5 : 1e-3;
    const moved = residuals(
      anchors,
      five,
      x.map((value, i) => (i === k ? value + step : value)),
    );
    return moved.map((value, i) => (value - r[i]!) / step);
  });
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const rows = slopes.map((a, i) => [
    ...slopes.map((b, k) => dot(a, b) * (i === k ? 1 + damping : 1) + (i === k ? 1e-9 : 0)),
    dot(a, r),
  ]);
  return solve(rows);
}

/** Gauss–Jordan with pivots; the last column is the right side. */
function solve(rows: number[][]): number[] {
  for (let k = 0; k < rows.length; ++k) {
    const pivot = rows.reduce((best, row, i) => (i >= k && Math.abs(row[k]!) > Math.abs(rows[best]![k]!) ? i : best), k);
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    const top = rows[k]!;
    for (let i = 0; i < rows.length; ++i) {
      if (i === k) continue;
      const share = rows[i]![k]! / top[k]!;
      rows[i] = rows[i]!.map((value, c) => value - share * top[c]!);
    }
  }
  return rows.map((row, k) => row.at(-1)! / row[k]!);
}
