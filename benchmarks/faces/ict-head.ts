import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of the ICT-FaceKit test data; vertices past the eyeballs (lashes, tear film) are left out of what is drawn. */
const POSITIONS = 26_719;
const FACE = 9409;
const MODES = 60;
/** Name and end of the vertices, ascending. */
const PARTS = [
  ['skin', 11_248],
  ['mouth', 13_294],
  ['socket', 14_062],
  ['mouth', 17_039],
  ['teeth', 21_451],
  ['eye', 24_591],
] as const;

interface Tensor {
  readonly dtype: 'F32' | 'U32';
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint32Array;
}

/**
 * Turns the ICT-FaceKit test data of `folder` into the head.safetensors that headLoad reads: 60 identity modes, all expressions,
 * parts by the embedded head's names, origin midway between the eyeballs. No UVs: it is painted by vertex.
 */
export function writeIctHead(folder: string, file: string): void {
  const names = JSON.parse(readFileSync(join(folder, 'names.json'), 'utf8')) as { identity: string[]; expressions: string[] };
  const indices = JSON.parse(readFileSync(join(folder, 'vertex_indices.json'), 'utf8')) as { idx_to_landmark_verts: number[] };
  const landmarks = indices.idx_to_landmark_verts;
  const bytes = readFileSync(join(folder, 'neutral_26719x3_f32.bin'));
  const mean = new Float32Array(POSITIONS * 3).map((_, i) => bytes.readFloatLE(4 * i));
  // The eyeballs' centres lie about 1.2 cm behind the lids.
  const middle = [1, 2].map((k) => landmarks.slice(36, 48).reduce((sum, v) => sum + mean[3 * v + k]! / 12, 0));
  const origin = [0, middle[0]!, middle[1]! - 1.2];
  mean.forEach((value, i) => {
    mean[i] = value - origin[i % 3]!;
  });

  const sorted = readTriangles(join(folder, 'generic_neutral_mesh.obj'), mean);
  const contour = findContours(mean, landmarks);
  const starts = [0];
  for (const line of contour) starts.push(starts.at(-1)! + line.length);
  const every = Uint32Array.from({ length: POSITIONS }, (_, i) => i);
  const u32 = (shape: number[], data: Uint32Array | number[]): Tensor => ({ dtype: 'U32', shape, data: Uint32Array.from(data) });
  const f32 = (shape: number[], data: Float32Array): Tensor => ({ dtype: 'F32', shape, data });
  const expressions = halves(join(folder, 'expression_delta_57x26719x3_f16.bin'), names.expressions.length);
  writeSafetensors(
    file,
    {
      format: 'daf-head 1',
      name: 'ict-facekit',
      identity_names: lines(names.identity.slice(0, MODES)),
      expression_names: lines(names.expressions),
      parts: lines(sorted.parts),
    },
    {
      mean: f32([POSITIONS, 3], mean),
      identity: f32([MODES, POSITIONS, 3], halves(join(folder, 'identity_delta_100x26719x3_f16.bin'), MODES)),
      expression: f32([names.expressions.length, POSITIONS, 3], expressions),
      uv: f32([POSITIONS, 2], new Float32Array(2 * POSITIONS)),
      source: u32([POSITIONS], every),
      triangles: u32([sorted.triangles.length / 3, 3], sorted.triangles),
      mirror: u32([POSITIONS], every),
      landmarks: u32([68], landmarks),
      contour_start: u32([18], starts),
      contour: u32([contour.flat().length], contour.flat()),
    },
  );
}

const lines = (list: readonly string[]): string => list.map((line) => `${line}\n`).join('');

function halves(file: string, modes: number): Float32Array {
  const bytes = readFileSync(file);
  const out = new Float32Array(modes * POSITIONS * 3);
  for (let i = 0; i < out.length; ++i) {
    const half = bytes.readUInt16LE(2 * i);
    const exponent = (half >> 10) & 31;
    const mantissa = half & 1023;
    const size = exponent === 0 ? mantissa * 2 ** -24 : (mantissa + 1024) * 2 ** (exponent - 25);
    out[i] = half >> 15 === 1 ? -size : size;
  }
  return out;
}

/** Triangles sorted by part, and a line a part as head.safetensors holds it. */
function readTriangles(file: string, mean: Float32Array): { triangles: number[]; parts: string[] } {
  const byPart = PARTS.map((): number[] => []);
  const eyes: [number[], number[]] = [[], []];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (!line.startsWith('f ')) continue;
    const corners = line
      .slice(2)
      .trim()
      .split(' ')
      .map((corner) => Number.parseInt(corner, 10) - 1);
    const part = PARTS.findIndex(([, end]) => Math.max(...corners) < end);
    if (part < 0) continue;
    const list = PARTS[part]![0] === 'eye' ? eyes[mean[3 * corners[0]!]! < 0 ? 0 : 1] : byPart[part]!;
    for (let k = 2; k < corners.length; ++k) list.push(corners[0]!, corners[k - 1]!, corners[k]!);
  }
  const runs: [string, number[]][] = PARTS.slice(0, -1).map(([name], i) => [name, byPart[i]!]);
  runs.push(['eye_right', eyes[0]], ['eye_left', eyes[1]]);
  let first = 0;
  const parts = runs.map(([name, list]) => {
    const low = list.reduce((a, b) => Math.min(a, b), POSITIONS);
    const high = list.reduce((a, b) => Math.max(a, b), 0);
    const line = `${name} ${first} ${list.length / 3} ${low} ${high - low + 1}`;
    first += list.length / 3;
    return line;
  });
  return { triangles: runs.flatMap(([, list]) => list), parts };
}

/** For every jaw landmark the face's vertices near the plane across the jaw there, from front to back. */
function findContours(mean: Float32Array, landmarks: readonly number[]): number[][] {
  const at = (k: number): number[] => [0, 1, 2].map((c) => mean[3 * landmarks[k]! + c]!);
  return Array.from({ length: 17 }, (_, i) => {
    const [x, before, after] = [at(i), at(Math.max(0, i - 1)), at(Math.min(16, i + 1))];
    const along = after.map((value, c) => value - before[c]!);
    const length = Math.hypot(...along);
    const bins = new Map<number, { off: number; vertex: number }>();
    for (let v = 0; v < FACE; ++v) {
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

function writeSafetensors(
  file: string,
  metadata: Readonly<Record<string, string>>,
  tensors: Readonly<Record<string, Tensor>>,
): void {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const text = JSON.stringify(header);
  const head = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(head.length));
  const body = Object.values(tensors).map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  writeFileSync(file, Buffer.concat([size, head, ...body]));
}
