import type { Head } from './head.js';
import { shapeOf } from './head.js';
import { paintByPosition } from './uv_paint.js';

/** Below this share of seen hair texels nothing is concluded from them. */
const ENOUGH = 0.01;
/** The scalp shows under thin hair and above a receding hairline; this share of the seen texels must be hair for the back to be hair too. */
const A_HEAD_OF_HAIR = 0.1;
/** What is no scalp: log ratios of the channels this far from the skin's, or a brightness this far below (or above) it, which no shadow explains. */
const NOT_SKIN = { tint: 0.2, light: 1.1 };

/**
 * Gives the hair that no photo saw the colour of the hair that one did: a back of the head in the model's own brown beside a grey
 * temple looks like a wig, and on a bald person like a cap.
 * @param texture [size][size][4], changed in place. @param observed [size][size], 255 where photos decide.
 */
export function fillHair(head: Head, texture: Uint8Array, observed: Uint8Array, size: number): void {
  const parts = partsOf(head, size);
  const seen: Color[] = [];
  const skin: Color[] = [];
  let hair = 0;
  for (let i = 0; i < parts.length; i++) {
    if (parts[i] === HAIR) hair++;
    if (observed[i]! < 200) continue;
    if (parts[i] === HAIR) seen.push(colorAt(texture, i));
    if (parts[i] === SKIN) skin.push(colorAt(texture, i));
  }
  if (seen.length < ENOUGH * hair) return;
  const color = hairColor(seen, skin);
  for (let i = 0; i < parts.length; i++) {
    if (parts[i] !== HAIR) continue;
    const share = Math.min(1, observed[i]! / 200);
    for (let c = 0; c < 3; c++) texture[4 * i + c] = Math.round(texture[4 * i + c]! * share + color[c]! * (1 - share));
  }
}

type Color = readonly [number, number, number];

function colorAt(texture: Uint8Array, texel: number): Color {
  return [texture[4 * texel]!, texture[4 * texel + 1]!, texture[4 * texel + 2]!];
}

function hairColor(seen: readonly Color[], skin: readonly Color[]): Color {
  if (skin.length === 0) return medianColor(seen);
  const tone = toneOf(medianColor(skin));
  const strands = seen.filter((color) => {
    const { tint, light } = toneOf(color);
    return (
      Math.hypot(tint[0] - tone.tint[0], tint[1] - tone.tint[1]) > NOT_SKIN.tint || Math.abs(light - tone.light) > NOT_SKIN.light
    );
  });
  return medianColor(strands.length >= A_HEAD_OF_HAIR * seen.length ? strands : seen);
}

function toneOf(color: Color): { readonly tint: readonly [number, number]; readonly light: number } {
  const [r, g, b] = color.map((value) => value + 8) as unknown as Color;
  return { tint: [Math.log(r / g), Math.log(g / b)], light: Math.log(r + g + b) };
}

function medianColor(colors: readonly Color[]): Color {
  return [0, 1, 2].map((c) => median(colors.map((color) => color[c]!))) as unknown as Color;
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >> 1]!;
}

const HAIR = 3;
const SKIN = 2;
const OTHER = 1;

/** Smaller levels of a texture mix texels across the border of an island: what lies just outside counts as hair too. */
const GUTTER = 8;

const masks = new Map<string, Uint8Array>();

/** [size][size]: the part that a texel belongs to, 0 for none. */
function partsOf(head: Head, size: number): Uint8Array {
  const key = `${head.info.name} ${size}`;
  const known = masks.get(key);
  if (known !== undefined) return known;
  const painted = new Uint8Array(4 * size * size);
  const mesh = { positions: shapeOf(head, new Float32Array(0)), source: head.source, uv: head.uv, triangles: head.triangles };
  for (const { name, firstTriangle, triangleCount } of head.info.parts) {
    const label = name === 'hair' ? HAIR : name === 'skin' ? SKIN : OTHER;
    paintByPosition(mesh, [firstTriangle, firstTriangle + triangleCount], painted, size, () => [label, 0, 0]);
  }
  const parts = Uint8Array.from({ length: size * size }, (_, i) => painted[4 * i]!);
  widenHair(parts, size);
  masks.set(key, parts);
  return parts;
}

function widenHair(parts: Uint8Array, size: number): void {
  for (let ring = 0; ring < GUTTER; ring++) {
    const before = parts.slice();
    for (let y = 1; y < size - 1; y++) {
      for (let x = 1; x < size - 1; x++) {
        const i = y * size + x;
        const beside = [before[i - 1]!, before[i + 1]!, before[i - size]!, before[i + size]!];
        if (before[i] === 0 && beside.includes(HAIR)) parts[i] = HAIR;
      }
    }
  }
}
