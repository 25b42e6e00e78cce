import { DafError } from '../../core/contracts/errors.js';
import { floatToHalf } from './half.js';
import type { HeadFile } from './head-file.js';
import { deltaOf, ICT_LAYOUT, type IctLayout, type IctShapes, type IctSource } from './ict-source.js';

/** Where a material's UV tile goes in the one texture: left, top, width, height. Materials that are not here are left out. */
const CHARTS: Readonly<Record<string, readonly [number, number, number, number]>> = {
  M_Face: [0, 0, 0.7, 0.7],
  M_BackHead: [0.71, 0, 0.29, 0.56],
  M_GumsTongue: [0.71, 0.57, 0.14, 0.13],
  M_Teeth: [0.86, 0.57, 0.14, 0.13],
  M_ScleraRight: [0, 0.71, 0.14, 0.14],
  M_ScleraLeft: [0.15, 0.71, 0.14, 0.14],
};

/** In the order in which the file holds them. */
const PARTS = ['skin', 'mouth', 'socket', 'eye_right', 'eye_left', 'mouth_gums', 'teeth'] as const;
type PartName = (typeof PARTS)[number];

/** Shapes that ARKit has no name for. */
const EXTRA = /^(PupilDilate|cheekRaiser)_[LR]$/;
/** One shape in ARKit, a half a side in ICT-FaceKit. */
const HALVED = ['browInnerUp', 'cheekPuff'];

/**
 * ICT-FaceKit as a head model of DAF: the embedded head's frame (cm, origin midway between the eyeballs), ARKit's names, one texture
 * without overlaps. `tongueOut` is not among its shapes; corneas, tear film and lashes are left out.
 * @throws DafError ERR_DAF_BAD_MODEL where mesh and layout disagree.
 */
export function ictHead(source: IctSource, layout: IctLayout = ICT_LAYOUT): HeadFile {
  const floats = source.neutral.length;
  const surface = surfaceOf(source, layout);
  const origin = eyeMiddle(source.neutral, surface);
  const mean = source.neutral.map((value, i) => value - origin[i % 3]!);
  const expression = arkitShapes(source.expression, mean, surface, layout);
  const contour = contourOf(mean, source.landmarks, layout.face);
  const starts = [0];
  for (const line of contour) starts.push(starts.at(-1)! + line.length);
  const count = floats / 3;
  const u32 = (shape: number[], data: ArrayLike<number>) => ({ dtype: 'U32', shape, data: Uint32Array.from(data) }) as const;
  return {
    metadata: {
      format: 'daf-head 1',
      name: 'ict-facekit',
      identity_names: lines(source.identity.names),
      expression_names: lines(expression.names),
      parts: lines(surface.parts),
    },
    tensors: {
      mean: { dtype: 'F32', shape: [count, 3], data: mean },
      uv: { dtype: 'F32', shape: [surface.source.length, 2], data: Float32Array.from(surface.uv) },
      source: u32([surface.source.length], surface.source),
      triangles: u32([surface.triangles.length / 3, 3], surface.triangles),
      mirror: u32([count], mirrorOf(mean)),
      landmarks: u32([68], source.landmarks),
      contour_start: u32([18], starts),
      contour: u32([starts.at(-1)!], contour.flat()),
      identity: { dtype: 'F16', shape: [source.identity.names.length, count, 3], data: source.identity.deltas },
      expression: { dtype: 'F16', shape: [expression.names.length, count, 3], data: expression.deltas },
    },
  };
}

const lines = (list: readonly string[]): string => list.map((line) => `${line}\n`).join('');

interface Surface {
  readonly source: number[];
  readonly uv: number[];
  readonly triangles: number[];
  /** name, first triangle, triangles, first vertex, vertices. */
  readonly parts: string[];
  readonly eyes: readonly [right: readonly number[], left: readonly number[]];
}

function surfaceOf({ faces, uvs }: IctSource, layout: IctLayout): Surface {
  const byPart = new Map<PartName, IctSource['faces'][number][]>(PARTS.map((name) => [name, []]));
  for (const face of faces) {
    const part = partOf(face, layout);
    if (part !== null) byPart.get(part)!.push(face);
  }
  const out = { source: [] as number[], uv: [] as number[], triangles: [] as number[], parts: [] as string[] };
  const eyes: [number[], number[]] = [[], []];
  for (const [name, list] of byPart) {
    if (list.length === 0) throw new DafError('ERR_DAF_BAD_MODEL', `the mesh has no faces of the part "${name}"`);
    const [firstTriangle, firstVertex] = [out.triangles.length / 3, out.source.length];
    const made = new Map<string, number>();
    for (const { material, corners } of list) {
      const chart = CHARTS[material]!;
      const tile = Math.floor(corners.reduce((sum, [, t]) => sum + uvs[t]![0], 0) / corners.length);
      const vertices = corners.map(([position, t]) => {
        const key = `${position} ${t} ${material}`;
        let vertex = made.get(key);
        if (vertex === undefined) {
          vertex = out.source.push(position) - 1;
          made.set(key, vertex);
          out.uv.push(chart[0] + chart[2] * (uvs[t]![0] - tile), chart[1] + chart[3] * (1 - uvs[t]![1]));
        }
        return vertex;
      });
      for (let k = 2; k < vertices.length; k++) out.triangles.push(vertices[0]!, vertices[k - 1]!, vertices[k]!);
    }
    const used = out.source.slice(firstVertex);
    if (name === 'eye_right') eyes[0].push(...used);
    if (name === 'eye_left') eyes[1].push(...used);
    out.parts.push(`${name} ${firstTriangle} ${out.triangles.length / 3 - firstTriangle} ${firstVertex} ${used.length}`);
  }
  return { ...out, eyes };
}

function partOf({ material, corners }: IctSource['faces'][number], layout: IctLayout): PartName | null {
  if (CHARTS[material] === undefined || corners.some(([, t]) => t < 0)) return null;
  if (material === 'M_ScleraRight') return 'eye_right';
  if (material === 'M_ScleraLeft') return 'eye_left';
  const last = Math.max(...corners.map(([position]) => position));
  const name = layout.parts.find(([, end]) => last < end)?.[0];
  return PARTS.find((part) => part === name) ?? null;
}

/** Midway between the middles of the eyeballs' boxes. */
function eyeMiddle(positions: Float32Array, { eyes }: Surface): number[] {
  const [right, left] = [boxMiddle(positions, eyes[0]), boxMiddle(positions, eyes[1])];
  return right.map((value, k) => (value + left[k]!) / 2);
}

function boxMiddle(positions: Float32Array, vertices: readonly number[]): number[] {
  return [0, 1, 2].map((k) => {
    const values = vertices.map((v) => positions[3 * v + k]!);
    return (values.reduce((a, b) => Math.min(a, b)) + values.reduce((a, b) => Math.max(a, b))) / 2;
  });
}

/** Halves merged, sides by ARKit's names, extra ones dropped; what hardly moves is still, and eyeballs follow the gaze. */
function arkitShapes(shapes: IctShapes, mean: Float32Array, surface: Surface, layout: IctLayout): IctShapes {
  const floats = mean.length;
  const merged = new Map<string, Float32Array>();
  for (const [i, name] of shapes.names.entries()) {
    if (EXTRA.test(name)) continue;
    const [, base = name, side] = /^(.*)_([LR])$/.exec(name) ?? [];
    const arkit = side === undefined || HALVED.includes(base) ? base : base + (side === 'L' ? 'Left' : 'Right');
    const delta = deltaOf(shapes, i, floats);
    const before = merged.get(arkit);
    if (before === undefined) merged.set(arkit, delta);
    else for (let k = 0; k < floats; k++) before[k]! += delta[k]!;
  }
  const deltas = new Uint16Array(merged.size * floats);
  [...merged].forEach(([name, delta], i) => {
    settle(delta, layout);
    turnEyes(name, delta, mean, surface);
    deltas.set(Uint16Array.from(delta, floatToHalf), i * floats);
  });
  return { names: [...merged.keys()], deltas };
}

/** cm below which a motion is dropped, on the skin and inside; up to twice that it fades in. Every vertex kept is 14 bytes a shape in a GLB. */
const STILL = { skin: 0.02, inside: 0.05 };

function settle(delta: Float32Array, { parts }: IctLayout): void {
  const skinEnd = parts.find(([name]) => name === 'skin')?.[1] ?? 0;
  for (let v = 0; v < delta.length / 3; v++) {
    const still = v < skinEnd ? STILL.skin : STILL.inside;
    const length = Math.hypot(delta[3 * v]!, delta[3 * v + 1]!, delta[3 * v + 2]!);
    const kept = Math.min(1, Math.max(0, length / still - 1));
    for (let k = 3 * v; k < 3 * v + 3; k++) delta[k]! *= kept;
  }
}

/** Radians that an eyeball turns at weight 1, as on the embedded head: about x (down) and, for the left eye, about y (outward). */
const GAZE: Readonly<Record<string, readonly [number, number]>> = {
  eyeLookUp: [-0.42, 0],
  eyeLookDown: [0.48, 0],
  eyeLookIn: [0, -0.52],
  eyeLookOut: [0, 0.52],
};

/** ICT-FaceKit's lids follow the gaze; its eyeballs are left to whoever uses them. */
function turnEyes(name: string, delta: Float32Array, mean: Float32Array, { eyes }: Surface): void {
  const [, base = '', side = ''] = /^(eyeLook[A-Z][a-z]+)(Left|Right)$/.exec(name) ?? [];
  const gaze = GAZE[base];
  if (gaze === undefined) return;
  const vertices = eyes[side === 'Right' ? 0 : 1];
  const center = boxMiddle(mean, vertices);
  const [pitch, yaw] = [gaze[0], side === 'Right' ? -gaze[1] : gaze[1]];
  for (const v of new Set(vertices)) {
    const [x, y, z] = center.map((c, k) => mean[3 * v + k]! - c) as [number, number, number];
    const [ty, tz] = [Math.cos(pitch) * y - Math.sin(pitch) * z, Math.sin(pitch) * y + Math.cos(pitch) * z];
    delta.set([Math.cos(yaw) * x + Math.sin(yaw) * tz - x, ty - y, Math.cos(yaw) * tz - Math.sin(yaw) * x - z], 3 * v);
  }
}

/** For each jaw landmark the face's vertices near the plane across the jaw there, from front to back; the landmark last. */
function contourOf(mean: Float32Array, landmarks: readonly number[], face: number): number[][] {
  const at = (k: number): number[] => [0, 1, 2].map((c) => mean[3 * landmarks[k]! + c]!);
  return Array.from({ length: 17 }, (_, i) => {
    const [x, before, after] = [at(i), at(Math.max(0, i - 1)), at(Math.min(16, i + 1))];
    const along = after.map((value, c) => value - before[c]!);
    const length = Math.hypot(...along);
    const bins = new Map<number, { off: number; vertex: number }>();
    for (let v = 0; v < face; v++) {
      const d = x.map((value, c) => mean[3 * v + c]! - value);
      const off = Math.abs(d.reduce((sum, value, c) => sum + (value * along[c]!) / length, 0));
      if (off > 0.3 || d[2]! < 0.2 || d[2]! > 5 || Math.hypot(d[0]!, d[1]!) > 4) continue;
      const bin = Math.floor(d[2]! / 0.4);
      if (off < (bins.get(bin)?.off ?? Infinity)) bins.set(bin, { off, vertex: v });
    }
    const front = [...bins].sort(([a], [b]) => b - a).map(([, { vertex }]) => vertex);
    return [...front, landmarks[i]!];
  });
}

const CELL = 0.05;

/** The vertex nearest to each one's reflection, where both agree; itself elsewhere. */
function mirrorOf(mean: Float32Array): Uint32Array {
  const count = mean.length / 3;
  const cells = new Map<string, number[]>();
  const cell = (v: number, flip: number): number[] =>
    [0, 1, 2].map((k) => Math.floor(((k === 0 ? flip : 1) * mean[3 * v + k]!) / CELL));
  for (let v = 0; v < count; v++) {
    const key = cell(v, 1).join();
    cells.set(key, [...(cells.get(key) ?? []), v]);
  }
  const nearest = Uint32Array.from({ length: count }, (_, v) => {
    const [x, y, z] = cell(v, -1) as [number, number, number];
    let best = { vertex: v, distance: Infinity };
    for (let i = 0; i < 27; i++) {
      const key = [x + (i % 3) - 1, y + (Math.floor(i / 3) % 3) - 1, z + Math.floor(i / 9) - 1].join();
      for (const other of cells.get(key) ?? []) {
        const distance = Math.hypot(
          mean[3 * v]! + mean[3 * other]!,
          mean[3 * v + 1]! - mean[3 * other + 1]!,
          mean[3 * v + 2]! - mean[3 * other + 2]!,
        );
        if (distance < best.distance) best = { vertex: other, distance };
      }
    }
    return best.vertex;
  });
  return nearest.map((other, v) => (nearest[other] === v ? other : v));
}
