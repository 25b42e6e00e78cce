import { orbitCamera, projectPoint } from './camera.js';
import { drawSurface, type Surface } from './surface.js';

/** What the borders of UV charts look like from one side. */
export interface SeamView {
  /** Radians. */
  readonly yaw: number;
  /** Places on borders that are seen. */
  readonly places: number;
  /** Mean steps of colour, 0…255, over STEP cm: from one chart into the other, and beside the border within each. */
  readonly across: number;
  readonly inside: number;
  /** The largest mean step across less that inside, over the places of a piece of PIECE cm. */
  readonly worst: number;
}

const SIZE = 1000;
/** cm */
const STEP = 0.16;
const PIECE = 2;
/** What is drawn there is the surface in question when its depth differs by less, cm. */
const HIDDEN = 0.2;
/** Least cosine between a surface and the line of sight: grazing ones are a pixel wide. */
const FACING = 0.45;
const FEWEST = 12;

type Point = readonly [number, number, number];
const minus = (a: Point, b: Point): Point => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const along = (a: Point, b: Point, t: number): Point => [a[0] + t * b[0], a[1] + t * b[1], a[2] + t * b[2]];
const dot = (a: Point, b: Point): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const unit = (a: Point): Point => along([0, 0, 0], a, 1 / Math.max(1e-9, Math.hypot(...a)));
const cross = (a: Point, b: Point): Point => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

/** An edge where the charts of two triangles meet that lie side by side on the head. */
interface Border {
  readonly ends: readonly [Point, Point];
  /** From the edge into each triangle, unit, and the triangles' normals. */
  readonly into: readonly [Point, Point];
  readonly normals: readonly [Point, Point];
}

/** Colour steps across UV borders, seen from four sides. */
export function seamViews(surface: Surface): SeamView[] {
  const borders = bordersOf(surface);
  return [0, Math.PI / 2, Math.PI, -Math.PI / 2].map((yaw) => {
    const camera = orbitCamera(surface.box, yaw, 0, SIZE);
    const { rgba, depth } = drawSurface(surface, camera, 'texture');
    const eye = [0, 1, 2].map(
      (k) => -[0, 1, 2].reduce((sum, row) => sum + camera.rotation[3 * row + k]! * camera.translation[row]!, 0),
    ) as unknown as Point;
    const colour = (point: Point): Point | null => {
      const at = projectPoint(camera, point);
      if (at === null) return null;
      const i = Math.floor(at[1]) * SIZE + Math.floor(at[0]);
      if (!(at[0] >= 0 && at[1] >= 0 && at[0] < SIZE && at[1] < SIZE) || Math.abs(at[2] - depth[i]!) > HIDDEN) return null;
      return rgba[4 * i + 3]! < 255 ? null : [rgba[4 * i]!, rgba[4 * i + 1]!, rgba[4 * i + 2]!];
    };
    const pieces = new Map<string, { across: number; inside: number; places: number }>();
    const total = { across: 0, inside: 0, places: 0 };
    for (const { ends, into, normals } of borders) {
      const edge = minus(ends[1], ends[0]);
      const count = Math.max(1, Math.round(Math.hypot(...edge) / 0.1));
      for (let k = 0; k < count; k++) {
        const place = along(ends[0], edge, (k + 0.5) / count);
        const sight = unit(minus(eye, place));
        if (normals.some((normal) => dot(normal, sight) < FACING)) continue;
        const [a, farA, b, farB] = into.flatMap((way) => [0.5 * STEP, 1.5 * STEP].map((d) => colour(along(place, way, d))));
        if (!a || !b || !farA || !farB) continue;
        const step = (p: Point, q: Point): number => minus(p, q).reduce((sum, d) => sum + Math.abs(d) / 3, 0);
        const found = { across: step(a, b), inside: (step(a, farA) + step(b, farB)) / 2 };
        const name = place.map((value) => Math.floor(value / PIECE)).join(' ');
        const piece = pieces.get(name) ?? { across: 0, inside: 0, places: 0 };
        pieces.set(name, piece);
        for (const sum of [total, piece]) {
          sum.across += found.across;
          sum.inside += found.inside;
          sum.places += 1;
        }
      }
    }
    const excess = [...pieces.values()]
      .filter(({ places }) => places >= FEWEST)
      .map(({ across, inside, places }) => (across - inside) / places);
    const { across, inside, places } = total;
    return { yaw, places, across: across / places, inside: inside / places, worst: Math.max(...excess) };
  });
}

function bordersOf({ mesh }: Surface): Border[] {
  const { positions, uv, triangles } = mesh;
  const source = mesh.source!;
  const at = (vertex: number): Point => {
    const p = 3 * source[vertex]!;
    return [positions[p]!, positions[p + 1]!, positions[p + 2]!];
  };
  const sides = new Map<string, readonly number[][]>();
  for (let t = 0; t < triangles.length / 3; t++) {
    for (let k = 0; k < 3; k++) {
      const [a, b, c] = [0, 1, 2].map((i) => triangles[3 * t + ((k + i) % 3)]!) as [number, number, number];
      const [first, second] = source[a]! < source[b]! ? [a, b] : [b, a];
      const key = `${source[first]} ${source[second]}`;
      sides.set(key, [...(sides.get(key) ?? []), [first, second, c, a]]);
    }
  }
  const borders: Border[] = [];
  for (const found of sides.values()) {
    if (found.length !== 2) continue;
    const [one, two] = found as [number[], number[]];
    const apart = [0, 1].some((k) => [0, 1].some((axis) => Math.abs(uv![2 * one[k]! + axis]! - uv![2 * two[k]! + axis]!) > 1e-5));
    if (!apart) continue;
    const ends = [at(one[0]!), at(one[1]!)] as const;
    const edge = unit(minus(ends[1], ends[0]));
    const side = ([first, , third, start]: number[]) => {
      const out = minus(at(third!), ends[0]);
      const normal = unit(cross(edge, out));
      return { into: unit(along(out, edge, -dot(out, edge))), normal: start === first ? normal : along([0, 0, 0], normal, -1) };
    };
    const [left, right] = [side(one), side(two)];
    borders.push({ ends, into: [left.into, right.into], normals: [left.normal, right.normal] });
  }
  return borders;
}
