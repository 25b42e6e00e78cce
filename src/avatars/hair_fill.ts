import type { Head } from './head.js';
import { shapeOf } from './head.js';
import { paintByPosition } from './uv_paint.js';

/** Of the seen hair texels, those that lie highest: above the forehead, where a receding hairline still shows skin. */
const HIGHEST = 0.25;
/** Below this share of seen hair texels nothing is concluded from them. */
const ENOUGH = 0.01;
/** The scalp shows under thin hair and above a receding hairline; this share of the seen texels must be hair for the back to be hair too. */
const A_HEAD_OF_HAIR = 0.1;
/**
 * What is no scalp: log ratios of the channels this far from the skin's, or a brightness this far below (or above) it, which no shadow explains;
 * on top of the head, where most photos have light, less of a difference says as much.
 */
const NOT_SKIN = { tint: 0.2, light: 1.1, lightOnTop: 0.5 };

/**
 * Gives the hair that no photo saw the colour of the hair that one did: a back of the head in the model's own brown beside a grey
 * temple looks like a wig, and on a bald person like a cap.
 * @param texture [size][size][4], changed in place. @param observed [size][size], 255 where photos decide.
 */
export function fillHair(head: Head, texture: Uint8Array, observed: Uint8Array, size: number): void {
  const { parts, height } = partsOf(head, size);
  const seen: Texel[] = [];
  const skin: Color[] = [];
  let hair = 0;
  for (let i = 0; i < parts.length; i++) {
    if (parts[i] === HAIR) hair++;
    if (observed[i]! < 200) continue;
    if (parts[i] === HAIR) seen.push({ color: colorAt(texture, i), height: height[i]! });
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

interface Texel {
  readonly color: Color;
  readonly height: number;
}

function colorAt(texture: Uint8Array, texel: number): Color {
  return [texture[4 * texel]!, texture[4 * texel + 1]!, texture[4 * texel + 2]!];
}

/**
 * Hair is told from the scalp by its colour, and where that fails (dark hair, skin in the dark) by its place: what lies highest is hair on all
 * but bald heads, and skin on those.
 */
function hairColor(seen: readonly Texel[], skin: readonly Color[]): Color {
  const colors = seen.map(({ color }) => color);
  if (skin.length === 0) return medianColor(colors);
  const tone = toneOf(medianColor(skin));
  const strands = colors.filter((color) => {
    const { tint, light } = toneOf(color);
    return (
      Math.hypot(tint[0] - tone.tint[0], tint[1] - tone.tint[1]) > NOT_SKIN.tint || Math.abs(light - tone.light) > NOT_SKIN.light
    );
  });
  if (strands.length >= A_HEAD_OF_HAIR * seen.length) return medianColor(strands);
  const lowest = quantile(
    seen.map(({ height }) => height),
    1 - HIGHEST,
  );
  const top = medianColor(seen.filter(({ height }) => height >= lowest).map(({ color }) => color));
  return Math.abs(toneOf(top).light - tone.light) > NOT_SKIN.lightOnTop ? top : medianColor(colors);
}

function toneOf(color: Color): { readonly tint: readonly [number, number]; readonly light: number } {
  const [r, g, b] = color.map((value) => value + 8) as unknown as Color;
  return { tint: [Math.log(r / g), Math.log(g / b)], light: Math.log(r + g + b) };
}

function medianColor(colors: readonly Color[]): Color {
  return [0, 1, 2].map((c) => median(colors.map((color) => color[c]!))) as unknown as Color;
}

function median(values: number[]): number {
  return quantile(values, 0.5);
}

/** @param values sorted in place */
function quantile(values: number[], share: number): number {
  values.sort((a, b) => a - b);
  return values[Math.floor(values.length * share)]!;
}

const HAIR = 3;
const SKIN = 2;
const OTHER = 1;

/** Smaller levels of a texture mix texels across the border of an island: what lies just outside counts as hair too. */
const GUTTER = 8;

interface Parts {
  /** [size][size]: the part that a texel belongs to, 0 for none. */
  readonly parts: Uint8Array;
  /** [size][size]: how high it lies on the mean head, in steps from its lowest point to its highest. */
  readonly height: Uint8Array;
}

const masks = new Map<string, Parts>();

function partsOf(head: Head, size: number): Parts {
  const key = `${head.info.name} ${size}`;
  const known = masks.get(key);
  if (known !== undefined) return known;
  const painted = new Uint8Array(4 * size * size);
  const mesh = { positions: shapeOf(head, new Float32Array(0)), source: head.source, uv: head.uv, triangles: head.triangles };
  const [low, high] = rangeOf(mesh.positions);
  const step = (y: number): number => Math.min(255, Math.max(0, Math.round((255 * (y - low)) / (high - low))));
  for (const { name, firstTriangle, triangleCount } of head.info.parts) {
    const label = name === 'hair' ? HAIR : name === 'skin' ? SKIN : OTHER;
    paintByPosition(mesh, [firstTriangle, firstTriangle + triangleCount], painted, size, (_x, y) => [label, step(y), 0]);
  }
  const parts = Uint8Array.from({ length: size * size }, (_, i) => painted[4 * i]!);
  const height = Uint8Array.from({ length: size * size }, (_, i) => painted[4 * i + 1]!);
  widenHair(parts, size);
  masks.set(key, { parts, height });
  return { parts, height };
}

/** Lowest and highest y. */
function rangeOf(positions: Float32Array): readonly [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 1; i < positions.length; i += 3) {
    low = Math.min(low, positions[i]!);
    high = Math.max(high, positions[i]!);
  }
  return [low, high];
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
