import { type Head, shapeOf } from './head.js';
import { paintByPosition } from './uv_paint.js';

type Rgb = readonly [number, number, number];

const SKIN: Rgb = [198, 158, 136];
const HAIR: Rgb = [62, 48, 40];
const WHITE: Rgb = [226, 222, 216];
const IRIS: Rgb = [88, 66, 48];
const PUPIL: Rgb = [18, 16, 16];
const TEETH: Rgb = [224, 216, 200];
const MOUTH: Rgb = [118, 56, 54];

const made = new Map<string, Uint8Array>();

/** What the head looks like before any photo: the measure of a photo's light, and what fills the unseen. [size][size][4] sRGB. */
export function baseTexture(head: Head, size: number): Uint8Array {
  const key = `${head.info.name} ${size}`;
  let texture = made.get(key);
  if (texture === undefined) {
    texture = paint(head, size);
    made.set(key, texture);
  }
  return texture;
}

function paint(head: Head, size: number): Uint8Array {
  const texture = new Uint8Array(4 * size * size).fill(255);
  for (let i = 0; i < size * size; i++) texture.set(SKIN, 4 * i);
  const positions = shapeOf(head, new Float32Array(0));
  const mesh = { positions, source: head.source, uv: head.uv, triangles: head.triangles };
  for (const part of head.info.parts) {
    const color = partColor(part.name, positions, head, part.firstVertex, part.vertexCount);
    if (color !== null)
      paintByPosition(mesh, [part.firstTriangle, part.firstTriangle + part.triangleCount], texture, size, color);
  }
  return texture;
}

function partColor(name: string, positions: Float32Array, head: Head, first: number, count: number) {
  if (name.startsWith('eye')) {
    let front = -Infinity;
    const middle = [0, 0];
    for (let r = first; r < first + count; r++) {
      const at = 3 * head.source[r]!;
      front = Math.max(front, positions[at + 2]!);
      middle[0]! += positions[at]! / count;
      middle[1]! += positions[at + 1]! / count;
    }
    return (x: number, y: number, z: number): Rgb => {
      const off = Math.hypot(x - middle[0]!, y - middle[1]!);
      return z < front - 1 || off > 0.58 ? WHITE : off < 0.2 ? PUPIL : IRIS;
    };
  }
  const flat = name === 'hair' ? HAIR : name.startsWith('teeth') ? TEETH : name === 'mouth' ? MOUTH : null;
  return flat === null ? null : (): Rgb => flat;
}
