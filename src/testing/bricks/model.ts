import { Random } from '../simulation/random.js';
import type { Solid } from './solid.js';

type Point = readonly [number, number, number];

/** A toy brick: a box with studs, all of one colour. */
export interface Brick {
  readonly color: Point;
  /** Stripes around the brick, a second colour; 0 for none. */
  readonly stripes: number;
  readonly solids: readonly Solid[];
  /** Of a ball around it. */
  readonly center: Point;
  readonly radius: number;
}

/** Sizes in scene units: the whole stands within ±1.1 of the origin. */
const PITCH = 0.145;
const HEIGHT = 0.18;
const STUD = { radius: 0.044, height: 0.032 };
const PLATE = { cells: 12, top: -0.38, height: 0.06 };
const COLORS: readonly Point[] = [
  [0.85, 0.12, 0.1],
  [0.95, 0.75, 0.1],
  [0.1, 0.35, 0.8],
  [0.9, 0.9, 0.88],
  [0.12, 0.12, 0.14],
  [0.9, 0.45, 0.08],
];
const GREEN: Point = [0.15, 0.5, 0.2];

/**
 * A green plate with a pile of bricks: thin parts, many edges, stripes and a repeating pattern, as the hard parts of the usual synthetic
 * scenes. The same for a given seed.
 */
export function brickModel(seed = 1): readonly Brick[] {
  const random = new Random(seed);
  const bricks = plate();
  const half = PLATE.cells / 2;
  const heights = new Map<string, number>();
  for (let i = 0; i < 60; i++) {
    const [long, wide] = random.pick([
      [4, 2],
      [2, 4],
      [2, 2],
      [1, 3],
      [3, 1],
      [1, 1],
    ] as const);
    // Nearer to the middle than evenly, so that a pile grows there.
    const place = (size: number): number => Math.round(((random.next() + random.next()) / 2) * (PLATE.cells - size)) - half;
    const [x, y] = [place(long), place(wide)];
    const cells = Array.from({ length: long * wide }, (_, k) => `${x + (k % long)},${y + Math.floor(k / long)}`);
    const level = Math.max(...cells.map((cell) => heights.get(cell) ?? 0));
    if (level >= 5) continue;
    for (const cell of cells) heights.set(cell, level + 1);
    const color = random.pick(COLORS);
    bricks.push(brick([x * PITCH, y * PITCH, PLATE.top + level * HEIGHT], long, wide, HEIGHT, color, random.chance(0.3) ? 5 : 0));
  }
  return bricks;
}

/** In squares of three cells, so that a ray meets few studs' boxes. */
function plate(): Brick[] {
  const [side, half] = [3, PLATE.cells / 2];
  const bricks: Brick[] = [];
  for (let x = -half; x < half; x += side) {
    for (let y = -half; y < half; y += side)
      bricks.push(brick([x * PITCH, y * PITCH, PLATE.top - PLATE.height], side, side, PLATE.height, GREEN, 0));
  }
  return bricks;
}

function brick(corner: Point, long: number, wide: number, height: number, color: Point, stripes: number): Brick {
  const [x, y, z] = corner;
  const top = z + height;
  const solids: Solid[] = [{ kind: 'box', min: corner, max: [x + long * PITCH, y + wide * PITCH, top] }];
  for (let i = 0; i < long; i++) {
    for (let j = 0; j < wide; j++) {
      const [u, v] = [x + (i + 0.5) * PITCH, y + (j + 0.5) * PITCH];
      const { radius: r } = STUD;
      solids.push({ kind: 'cylinder', min: [u - r, v - r, top], max: [u + r, v + r, top + STUD.height] });
    }
  }
  const size = [long * PITCH, wide * PITCH, height + STUD.height].map((side) => side / 2) as unknown as Point;
  return { color, stripes, solids, center: [x + size[0], y + size[1], z + size[2]], radius: Math.hypot(...size) };
}
