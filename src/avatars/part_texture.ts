import { addon } from '../core/addon/index.js';
import { embeddedHead, type Head, shapeOf } from './head.js';
import { visitTexels } from './uv_paint.js';

type Rgb = readonly [number, number, number];

/** sRGB by the beginning of a part's name; what matches none is skin. */
const COLORS: readonly (readonly [string, Rgb])[] = [
  ['mouth', [148, 74, 72]],
  ['tongue', [168, 96, 92]],
  ['teeth', [222, 214, 196]],
  ['socket', [150, 86, 76]],
];
const WHITE: Rgb = [196, 190, 184];
const IRIS: Rgb = [92, 66, 48];
const PUPIL: Rgb = [16, 12, 12];
/** Radians from an eyeball's axis. */
const [PUPIL_RIM, IRIS_RIM] = [0.17, 0.5];
/** Rounds in which painted texels grow into the empty ones beside them. */
const GROWN = 4;

/**
 * What a head that DAF has no painter for looks like before any photo: one colour a part, the average skin, brown eyes that look ahead.
 * [size][size][4] sRGB.
 */
export function partTexture(head: Head, size: number): Uint8Array {
  const texture = new Uint8Array(4 * size * size);
  const skin = averageSkin();
  const mean = shapeOf(head, new Float32Array(0));
  for (const part of head.info.parts) {
    const own = COLORS.find(([name]) => part.name.startsWith(name))?.[1] ?? skin;
    const vertices = head.source.subarray(part.firstVertex, part.firstVertex + part.vertexCount);
    const eye = part.name.startsWith('eye') ? boxMiddle(mean, vertices) : null;
    const triangles = [part.firstTriangle, part.firstTriangle + part.triangleCount] as const;
    visitTexels({ uv: head.uv, triangles: head.triangles }, triangles, size, (texel, corners, weights) => {
      const at = (k: number): number => weights.reduce((sum, w, i) => sum + w * mean[3 * head.source[corners[i]!]! + k]!, 0);
      const color = eye === null ? own : eyeColor([0, 1, 2].map((k) => at(k) - eye[k]!));
      texture.set([...color, 255], 4 * texel);
    });
  }
  grow(texture, size);
  for (let i = 0; i < size * size; i++) if (texture[4 * i + 3] === 0) texture.set([...skin, 255], 4 * i);
  return texture;
}

function eyeColor(direction: readonly number[]): Rgb {
  const angle = Math.acos(Math.max(-1, Math.min(1, direction[2]! / Math.max(1e-6, Math.hypot(...direction)))));
  return angle < PUPIL_RIM ? PUPIL : angle < IRIS_RIM ? IRIS : WHITE;
}

function boxMiddle(positions: Float32Array, vertices: Uint32Array): number[] {
  return [0, 1, 2].map((k) => {
    const values = Array.from(vertices, (v) => positions[3 * v + k]!);
    return (values.reduce((a, b) => Math.min(a, b)) + values.reduce((a, b) => Math.max(a, b))) / 2;
  });
}

const SAMPLE = 128;

/** Mean of the embedded head's bare skin under average looks. */
function averageSkin(): Rgb {
  const native = addon();
  const head = embeddedHead();
  const painted = new Uint8Array(4 * SAMPLE * SAMPLE);
  native.paintAlbedo(head.handle, { ...native.averageLooks(), style: 'bald' }, SAMPLE, null, painted);
  const part = head.info.parts.find(({ name }) => name === 'skin')!;
  const sums = [0, 0, 0, 0];
  visitTexels(
    { uv: head.uv, triangles: head.triangles },
    [part.firstTriangle, part.firstTriangle + part.triangleCount],
    SAMPLE,
    (texel) => {
      for (let c = 0; c < 3; c++) sums[c]! += painted[4 * texel + c]!;
      sums[3]!++;
    },
  );
  return [0, 1, 2].map((c) => Math.round(sums[c]! / sums[3]!)) as unknown as Rgb;
}

/** Empty texels beside painted ones take their colour, so that filtering at a chart's border meets no other one's. */
function grow(texture: Uint8Array, size: number): void {
  for (let round = 0; round < GROWN; round++) {
    const before = texture.slice();
    for (let i = 0; i < size * size; i++) {
      if (before[4 * i + 3] !== 0) continue;
      const x = i % size;
      const beside = [x > 0 ? i - 1 : -1, x < size - 1 ? i + 1 : -1, i - size, i + size];
      const from = beside.find((j) => j >= 0 && j < size * size && before[4 * j + 3] !== 0);
      if (from !== undefined) texture.set(before.subarray(4 * from, 4 * from + 4), 4 * i);
    }
  }
}
