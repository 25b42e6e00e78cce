import { baseTexture } from '../base_texture.js';
import { type Head, shapeOf } from '../head.js';
import { paintByPosition } from '../uv_paint.js';

export type Rgb = readonly [number, number, number];

/** What a synthetic person's skin and hair look like; sRGB. */
export interface Complexion {
  readonly skin: Rgb;
  readonly lips: Rgb;
  readonly hair: Rgb;
  readonly iris: Rgb;
  /** 0…1: how much freckles and blotches vary the skin. */
  readonly mottle: number;
  readonly seed: number;
}

/** Something painted on the skin by its place in head space (cm); null leaves the skin. */
export type Mark = (x: number, y: number, z: number) => Rgb | null;

/** A synthetic person's texture: [size][size][4] sRGB. Painted by place on the mean head, so that it fits every shape. */
export function paintPerson(head: Head, look: Complexion, size: number, mark: Mark | null = null): Uint8Array {
  const texture = baseTexture(head, size).slice();
  const positions = shapeOf(head, new Float32Array(0));
  const mesh = { positions, source: head.source, uv: head.uv, triangles: head.triangles };
  const landmark = (i: number): Rgb => {
    const at = 3 * head.info.landmarks[i]!;
    return [positions[at]!, positions[at + 1]!, positions[at + 2]!];
  };
  const line = (first: number, last: number): Rgb[] => Array.from({ length: last - first + 1 }, (_, i) => landmark(first + i));
  const brows = [line(17, 21), line(22, 26)];
  const lips = [...line(48, 59), landmark(48)];
  const face = landmark(30)[2];
  const skin: Mark = (x, y, z) => {
    const marked = mark?.(x, y, z) ?? null;
    if (marked !== null) return marked;
    const front = z > face - 5.5;
    if (front && insideLips(lips, x, y)) return shade(look.lips, 0.08 * noise(3 * x, 3 * y, 3 * z, look.seed));
    if (front && brows.some((brow) => distanceTo(brow, x, y) < 0.28 + 0.1 * noise(9 * x, 2 * y, 0, look.seed))) return look.hair;
    const coarse = noise(0.5 * x, 0.5 * y, 0.5 * z, look.seed);
    const fine = noise(4 * x, 4 * y, 4 * z, look.seed + 1);
    const freckle = noise(7 * x, 7 * y, 7 * z, look.seed + 2) > 0.72 ? -0.25 * look.mottle : 0;
    return shade(look.skin, look.mottle * (0.1 * coarse + 0.06 * fine) + freckle);
  };
  for (const part of head.info.parts) {
    const triangles = [part.firstTriangle, part.firstTriangle + part.triangleCount] as const;
    if (part.name === 'skin') paintByPosition(mesh, triangles, texture, size, skin);
    if (part.name === 'hair') {
      // Strands run from the crown outward.
      const strand: Mark = (x, y, z) => shade(look.hair, 0.25 * noise(2.5 * Math.atan2(x, -z) * 4, 0.4 * y, 0, look.seed));
      paintByPosition(mesh, triangles, texture, size, strand);
    }
    if (part.name.startsWith('eye')) recolour(texture, size, mesh, triangles, look.iris);
  }
  return texture;
}

/** The base's iris is brown; where it is, the person's colour stands. */
function recolour(
  texture: Uint8Array,
  size: number,
  mesh: Parameters<typeof paintByPosition>[0],
  triangles: readonly [number, number],
  iris: Rgb,
): void {
  const before = texture.slice();
  paintByPosition(mesh, triangles, texture, size, () => iris);
  for (let i = 0; i < texture.length; i += 4) {
    const brown = before[i]! > 60 && before[i]! < 120;
    if (!brown) texture.set(before.subarray(i, i + 3), i);
  }
}

function insideLips(outline: readonly Rgb[], x: number, y: number): boolean {
  let inside = false;
  for (let i = 0; i + 1 < outline.length; i++) {
    const [ax, ay] = outline[i]!;
    const [bx, by] = outline[i + 1]!;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

function distanceTo(line: readonly Rgb[], x: number, y: number): number {
  let best = Infinity;
  for (let i = 0; i + 1 < line.length; i++) {
    const [ax, ay] = line[i]!;
    const [bx, by] = line[i + 1]!;
    const length = (bx - ax) ** 2 + (by - ay) ** 2;
    const t = Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length));
    best = Math.min(best, Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay)));
  }
  return best;
}

const shade = (color: Rgb, by: number): Rgb => [
  clamp(color[0] * (1 + by)),
  clamp(color[1] * (1 + by)),
  clamp(color[2] * (1 + by)),
];
const clamp = (value: number): number => Math.round(Math.min(255, Math.max(0, value)));

/** Smooth value noise in −1…1. */
export function noise(x: number, y: number, z: number, seed: number): number {
  const [ix, iy, iz] = [Math.floor(x), Math.floor(y), Math.floor(z)];
  const ease = (t: number): number => t * t * (3 - 2 * t);
  const [fx, fy, fz] = [ease(x - ix), ease(y - iy), ease(z - iz)];
  let sum = 0;
  for (let corner = 0; corner < 8; corner++) {
    const [dx, dy, dz] = [corner & 1, (corner >> 1) & 1, corner >> 2];
    const weight = (dx ? fx : 1 - fx) * (dy ? fy : 1 - fy) * (dz ? fz : 1 - fz);
    sum += weight * lattice(ix + dx, iy + dy, iz + dz, seed);
  }
  return sum;
}

function lattice(x: number, y: number, z: number, seed: number): number {
  let h = Math.imul(x, 374761393) ^ Math.imul(y, 668265263) ^ Math.imul(z, 2147483647) ^ Math.imul(seed + 1, 1274126177);
  h = Math.imul(h ^ (h >>> 13), 1274126177);
  return ((h ^ (h >>> 16)) >>> 0) / 2147483648 - 1;
}
