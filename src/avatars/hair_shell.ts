import { type Head, shapeOf } from './head.js';
import { visitTexels } from './uv_paint.js';

/** The hair shell's part of the atlas, for one size of texture. */
export interface HairShell {
  /** Texels that hold hair. */
  readonly texels: Int32Array;
  /** Three vertices of the shell around each texel (offsets into `neighbours`), and their weights. */
  readonly corners: Int32Array;
  readonly weights: Float32Array;
  /** The texel of the scalp below each. */
  readonly scalp: Int32Array;
  /** cm from the shell's edge, along the scalp; height on the mean head, cm. */
  readonly border: Float32Array;
  readonly height: Float32Array;
  /** cm along each vertex of the shell to the skin below it on the mean head, and both as places in [positions][3]. */
  readonly stand: readonly { readonly hair: number; readonly scalp: number; readonly rest: number }[];
  /** −1…1: light and dark strands, running from the crown down. */
  readonly strand: Float32Array;
  /** Vertices beside each vertex of the shell. */
  readonly neighbours: readonly (readonly number[])[];
  /** A sample of the texels of face, neck and scalp: one of SKIN_STEP. */
  readonly skin: Int32Array;
}

/** Tones are medians: few texels tell them as well as all. Not a divisor of any texture's size, or columns would be sampled. */
const SKIN_STEP = 7;

const shells = new Map<string, HairShell>();

/** Made once for a head and a size. */
export function hairShell(head: Head, size: number): HairShell {
  const key = `${head.info.name} ${size}`;
  let shell = shells.get(key);
  if (shell === undefined) {
    shell = makeShell(head, size);
    shells.set(key, shell);
  }
  return shell;
}

function makeShell(head: Head, size: number): HairShell {
  const mean = shapeOf(head, new Float32Array(0));
  const hair = partNamed(head, 'hair');
  const skin = partNamed(head, 'skin');
  const shell = new Map<number, number>();
  const place: number[] = [];
  for (const vertex of head.triangles.subarray(3 * hair[0], 3 * hair[1])) {
    const position = head.source[vertex]!;
    if (shell.has(position)) continue;
    shell.set(position, place.length);
    place.push(3 * position);
  }
  const at = (vertex: number): Point => [mean[place[vertex]!]!, mean[place[vertex]! + 1]!, mean[place[vertex]! + 2]!];
  const points = place.map((_, i) => at(i));
  const { neighbours, edge } = connect(head, hair, shell);
  const rim = edge.map((e) => points[e]!);
  const border = points.map((p) => Math.sqrt(squareToNearest(p, rim).square));
  const below = scalpBelow(head, mean, hair, skin);

  const stand = place.map((hair) => ({ hair, scalp: 0, rest: 0 }));
  for (const [vertex, scalp] of below) {
    const one = stand[shell.get(head.source[vertex]!)!]!;
    one.scalp = 3 * head.source[scalp]!;
    one.rest = standAt(mean, one);
  }

  const found = new Map<number, { corners: number[]; weights: readonly number[]; scalp: number }>();
  visitTexels({ uv: head.uv, triangles: head.triangles }, hair, size, (texel, corners, weights) => {
    if (found.has(texel)) return;
    const across = corners.map((corner) => head.uv[2 * below.get(corner)!]!);
    const seam = Math.max(...across) - Math.min(...across) > 0.3;
    const uv = [0, 1].map((axis) => {
      const values = corners.map((corner) => head.uv[2 * below.get(corner)! + axis]!);
      return seam ? values[0]! : values.reduce((sum, value, i) => sum + weights[i]! * value, 0);
    });
    const [x, y] = uv.map((value) => Math.min(size - 1, Math.max(0, Math.round(value * size - 0.5)))) as [number, number];
    found.set(texel, { corners: corners.map((c) => shell.get(head.source[c]!)!), weights: [...weights], scalp: y * size + x });
  });
  const all = [...found];
  const between = (values: readonly number[]): Float32Array =>
    Float32Array.from(all, ([, { corners, weights }]) => corners.reduce((sum, c, i) => sum + weights[i]! * values[c]!, 0));
  const chart = head.triangles
    .subarray(3 * hair[0], 3 * hair[1])
    .reduce(([left, right], vertex) => [Math.min(left, head.uv[2 * vertex]!), Math.max(right, head.uv[2 * vertex]!)] as const, [
      1, 0,
    ] as readonly [number, number]);
  const round = (texel: number): number => ((texel % size) + 0.5 - chart[0] * size) / ((chart[1] - chart[0]) * size);
  const sample: number[] = [];
  visitTexels({ uv: head.uv, triangles: head.triangles }, skin, size, (texel) => {
    if (texel % SKIN_STEP === 0) sample.push(texel);
  });
  return {
    texels: Int32Array.from(all, ([texel]) => texel),
    corners: Int32Array.from(all.flatMap(([, { corners }]) => corners)),
    weights: Float32Array.from(all.flatMap(([, { weights }]) => weights)),
    scalp: Int32Array.from(all, ([, { scalp }]) => scalp),
    border: between(border),
    height: between(points.map(([, y]) => y)),
    stand,
    strand: Float32Array.from(all, ([texel]) => strandAt(round(texel), Math.floor(texel / size) / size)),
    neighbours,
    skin: Int32Array.from(sample),
  };
}

/** cm from a vertex of the shell to the skin that is below it on the mean head. */
export function standAt(positions: Float32Array, { hair, scalp }: { readonly hair: number; readonly scalp: number }): number {
  return Math.hypot(...[0, 1, 2].map((k) => positions[hair + k]! - positions[scalp + k]!));
}

type Point = readonly [number, number, number];

/** The first of the nearest; without roots, because it is asked for millions of pairs before the first head. */
function squareToNearest(p: Point, among: readonly Point[]): { readonly index: number; readonly square: number } {
  let [index, square] = [0, Infinity];
  for (let i = 0; i < among.length; i++) {
    const [x, y, z] = among[i]!;
    const apart = (x - p[0]) ** 2 + (y - p[1]) ** 2 + (z - p[2]) ** 2;
    if (apart < square) [index, square] = [i, apart];
  }
  return { index, square };
}

/** [first, end) of a part's triangles. */
function partNamed(head: Head, name: string): readonly [number, number] {
  const part = head.info.parts.find((candidate) => candidate.name === name);
  return part === undefined ? [0, 0] : [part.firstTriangle, part.firstTriangle + part.triangleCount];
}

/** Who lies beside whom, and the vertices where the shell ends: on edges of one triangle only. */
function connect(head: Head, [first, end]: readonly [number, number], shell: ReadonlyMap<number, number>) {
  const beside: Set<number>[] = Array.from({ length: shell.size }, () => new Set());
  const edges = new Map<string, readonly [number, number]>();
  for (let t = first; t < end; t++) {
    const [a, b, c] = [0, 1, 2].map((k) => shell.get(head.source[head.triangles[3 * t + k]!]!)!) as [number, number, number];
    for (const [from, to] of [
      [a, b],
      [b, c],
      [c, a],
    ] as const) {
      beside[from]!.add(to);
      beside[to]!.add(from);
      const key = from < to ? `${from} ${to}` : `${to} ${from}`;
      if (!edges.delete(key)) edges.set(key, [from, to]);
    }
  }
  return { neighbours: beside.map((set) => [...set]), edge: [...new Set([...edges.values()].flat())] };
}

/** The vertex of the skin nearest to each of the shell. */
function scalpBelow(
  head: Head,
  mean: Float32Array,
  hair: readonly [number, number],
  skin: readonly [number, number],
): ReadonlyMap<number, number> {
  const at = (vertex: number): Point => {
    const p = 3 * head.source[vertex]!;
    return [mean[p]!, mean[p + 1]!, mean[p + 2]!];
  };
  const scalp = [...new Set(head.triangles.subarray(3 * skin[0], 3 * skin[1]))].map((vertex) => ({ vertex, p: at(vertex) }));
  const low = Math.min(...[...head.triangles.subarray(3 * hair[0], 3 * hair[1])].map((vertex) => at(vertex)[1])) - 2;
  const candidates = scalp.filter(({ p }) => p[1] > low);
  const places = candidates.map(({ p }) => p);
  const below = new Map<number, number>();
  for (const vertex of head.triangles.subarray(3 * hair[0], 3 * hair[1])) {
    if (below.has(vertex)) continue;
    below.set(vertex, candidates[squareToNearest(at(vertex), places).index]!.vertex);
  }
  return below;
}

/**
 * Locks a centimetre wide and strands of a millimetre, both long: the hair's chart runs from the crown down.
 * @param round 0…1 around the head: both ends are the line where the chart is cut, so the pattern repeats there. @param v place in the texture.
 */
function strandAt(round: number, v: number): number {
  const bent = round + 0.01 * noise(round, v * 30, 1, 23);
  const lock = noise(bent, v * 22, 2, 76);
  const strand = noise(bent, v * 34, 3, 246);
  const fine = noise(bent, v * 60, 4, 527);
  return Math.max(-1, Math.min(1, 0.55 * lock + 0.5 * strand + 0.35 * fine));
}

/** Value noise, −1…1, the same everywhere; `across` repeats after 1, which is this many cells. */
function noise(across: number, y: number, layer: number, cells: number): number {
  const x = across * cells;
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [smooth(x - x0), smooth(y - y0)];
  const at = (dx: number, dy: number): number => hash((((x0 + dx) % cells) + cells) % cells, y0 + dy, layer);
  return (1 - fy) * ((1 - fx) * at(0, 0) + fx * at(1, 0)) + fy * ((1 - fx) * at(0, 1) + fx * at(1, 1));
}

const smooth = (t: number): number => t * t * (3 - 2 * t);

function hash(x: number, y: number, layer: number): number {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(layer, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2147483648 - 1;
}
