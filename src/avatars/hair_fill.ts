import type { Head } from './head.js';
import { shapeOf } from './head.js';
import { paintByPosition } from './uv_paint.js';

/** Below this share of seen hair texels nothing is concluded from them. */
const ENOUGH = 0.01;

/**
 * Gives the hair that no photo saw the colour of the hair that one did: a back of the head in the model's own brown beside a grey
 * temple looks like a wig, and on a bald person like a cap.
 * @param texture [size][size][4], changed in place. @param observed [size][size], 255 where photos decide.
 */
export function fillHair(head: Head, texture: Uint8Array, observed: Uint8Array, size: number): void {
  const mask = hairMask(head, size);
  const seen: [number[], number[], number[]] = [[], [], []];
  let hair = 0;
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] === 0) continue;
    hair++;
    if (observed[i]! < 200) continue;
    for (const c of [0, 1, 2] as const) seen[c].push(texture[4 * i + c]!);
  }
  if (seen[0].length < ENOUGH * hair) return;
  const color = seen.map(median);
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] === 0) continue;
    const share = Math.min(1, observed[i]! / 200);
    for (let c = 0; c < 3; c++) texture[4 * i + c] = Math.round(texture[4 * i + c]! * share + color[c]! * (1 - share));
  }
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >> 1]!;
}

const HAIR = 255;
const OTHER = 1;

/** Smaller levels of a texture mix texels across the border of an island: what lies just outside counts as hair too. */
const GUTTER = 8;

const masks = new Map<string, Uint8Array>();

function hairMask(head: Head, size: number): Uint8Array {
  const key = `${head.info.name} ${size}`;
  const known = masks.get(key);
  if (known !== undefined) return known;
  const painted = new Uint8Array(4 * size * size);
  const mesh = { positions: shapeOf(head, new Float32Array(0)), source: head.source, uv: head.uv, triangles: head.triangles };
  for (const { name, firstTriangle, triangleCount } of head.info.parts) {
    const label = name === 'hair' ? HAIR : OTHER;
    paintByPosition(mesh, [firstTriangle, firstTriangle + triangleCount], painted, size, () => [label, 0, 0]);
  }
  const parts = Uint8Array.from({ length: size * size }, (_, i) => painted[4 * i]!);
  const mask = widen(parts, size);
  masks.set(key, mask);
  return mask;
}

function widen(parts: Uint8Array, size: number): Uint8Array {
  let mask = parts.map((part) => (part === HAIR ? 1 : 0));
  for (let ring = 0; ring < GUTTER; ring++) {
    const next = mask.slice();
    for (let y = 1; y < size - 1; y++) {
      for (let x = 1; x < size - 1; x++) {
        const i = y * size + x;
        if (parts[i] === 0 && mask[i - 1]! + mask[i + 1]! + mask[i - size]! + mask[i + size]! > 0) next[i] = 1;
      }
    }
    mask = next;
  }
  return mask;
}
