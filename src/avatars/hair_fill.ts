import { type HairShell, hairShell, standAt } from './hair_shell.js';
import { type Color, hairTone, type Texel, toneOf } from './hair_tone.js';
import type { Head } from './head.js';

/** Below this share of seen hair texels nothing is concluded from them. */
const ENOUGH = 0.01;
/** From the edge of the shell to full hair, cm: a hairline is strands over skin, not a line. */
const HAIRLINE = 1.3;
/** Hair that hangs ends in the air: farther from the scalp than the model's by these, cm, its edge is no hairline. */
const HANGS: readonly [number, number] = [0.6, 2];
/** How far strands reach into what lies beside them: the skin at the hairline, what a photo saw. Shares of the way from one to the other. */
const REACH = 0.3;
/** Light and dark strands: share of the colour, and in steps of brightness for hair too dark for shares to show. */
const CONTRAST = { share: 0.24, steps: 5 };
/** How much the hair seen nearby counts beside that of the whole head, where a photo saw none. */
const SPREAD = { rounds: 60, screen: 0.02 };

/** What the photos say about the hair: seen; skin where hair would be; nothing. */
export type HairSource = 'photo' | 'bald' | 'prior';

/**
 * Finishes the hair: what no photo saw continues what one did, in strands, and thins out towards the hairline, where the scalp shows through; a bald
 * head has the scalp's tone all over, without a border.
 * @param texture [size][size][4], changed in place; the scalp below the shell holds skin. @param observed [size][size], 255 where photos decide.
 * @param positions [positions][3] cm of the person; null: the mean head's.
 * @param rim colours along the photos' outlines above the brows, see rimColors.
 */
export function fillHair(
  head: Head,
  texture: Uint8Array,
  observed: Uint8Array,
  size: number,
  rim: readonly Color[] = [],
  positions: Float32Array | null = null,
): HairSource {
  const shell = hairShell(head, size);
  // A head without a shell: what the photos show of the hair lies on its scalp.
  if (shell.texels.length === 0) return 'prior';
  const seen: Texel[] = [];
  for (const [i, texel] of shell.texels.entries()) {
    if (observed[texel]! >= SEEN) seen.push({ color: colorAt(texture, texel), height: shell.height[i]! });
  }
  const skin = [...shell.skin].filter((texel) => observed[texel]! >= SEEN).map((texel) => colorAt(texture, texel));
  const known = seen.length >= ENOUGH * shell.texels.length;
  const { color, bald } = known ? hairTone(seen, skin, rim) : { color: middleOf(shell, texture), bald: false };
  const isSkin = skinTone(skin, bald);
  const trusted = withoutStrays(shell, texture, observed, color, isSkin);
  const nearby = spreadFromSeen(shell, texture, trusted, color, isSkin);
  const hangs = shell.stand.map((one) => (positions === null ? 0 : smoothStep(...HANGS, standAt(positions, one) - one.rest)));
  for (let i = 0; i < shell.texels.length; i++) paintTexel(shell, i, texture, trusted, nearby, hangs, bald);
  growIntoGaps(shell, texture, size);
  return known ? (bald ? 'bald' : 'photo') : 'prior';
}

const SEEN = 200;

function paintTexel(
  shell: HairShell,
  i: number,
  texture: Uint8Array,
  observed: Uint8Array,
  nearby: Nearby,
  hangs: readonly number[],
  bald: boolean,
): void {
  const texel = shell.texels[i]!;
  const strand = shell.strand[i]!;
  const between = (values: ArrayLike<number>, stride = 1, at = 0): number => {
    let value = 0;
    for (let k = 0; k < 3; k++) value += shell.weights[3 * i + k]! * values[stride * shell.corners[3 * i + k]! + at]!;
    return value;
  };
  const [r, g, b, cover] = [0, 1, 2, 3].map((c) => between(nearby.values, 4, c)) as [number, number, number, number];
  const free = between(hangs);
  const line = Math.max(shell.border[i]! / HAIRLINE, free);
  const opaque = bald
    ? 0
    : smoothStep(0.2, 0.75, Math.min(line, Math.max(cover, free)) + REACH * strand) * smoothStep(0, 0.2, line);
  // On a bald head shell and scalp show the same skin, and the scalp's was cleaned of light and grazing views.
  const known = observed[texel]! / 255;
  const photo = bald ? 0 : smoothStep(0.15, 0.85, known + REACH * strand * (1 - known));
  for (const [c, own] of [r, g, b].entries()) {
    const hair = own * (1 + CONTRAST.share * strand) + CONTRAST.steps * strand;
    const scalp = texture[4 * shell.scalp[i]! + c]!;
    const unseen = scalp + opaque * (hair - scalp);
    const value = unseen + photo * (texture[4 * texel + c]! - unseen);
    texture[4 * texel + c] = Math.round(Math.min(255, Math.max(0, value)));
  }
}

interface Nearby {
  /** [vertices of the shell][4]: the hair's colour there, and whether it is hair (1) or skin (0). */
  readonly values: Float32Array;
}

/** Log brightness above the hair's own that is neither a strand nor the scalp: a lamp behind the head, a burnt highlight. */
const STRAY = 0.9;

/** `observed` without what a photo showed on the shell and is neither hair nor skin. */
function withoutStrays(
  shell: HairShell,
  texture: Uint8Array,
  observed: Uint8Array,
  color: Color,
  isSkin: (color: Color) => boolean,
): Uint8Array {
  const usual = toneOf(color).light;
  const trusted = observed.slice();
  for (const texel of shell.texels) {
    if (observed[texel] === 0) continue;
    const own = colorAt(texture, texel);
    if (toneOf(own).light - usual > STRAY && !isSkin(own)) trusted[texel] = 0;
  }
  return trusted;
}

/** Colours of seen hair carried on over the shell, drifting to the head's own; seen skin makes a receding hairline. */
function spreadFromSeen(
  shell: HairShell,
  texture: Uint8Array,
  observed: Uint8Array,
  color: Color,
  isSkin: (color: Color) => boolean,
): Nearby {
  const count = shell.neighbours.length;
  const sums = new Float64Array(4 * count);
  const hairs = new Float64Array(count);
  const all = new Float64Array(count);
  for (let i = 0; i < shell.texels.length; i++) {
    const texel = shell.texels[i]!;
    if (observed[texel]! < SEEN) continue;
    const own = colorAt(texture, texel);
    const hair = isSkin(own) ? 0 : 1;
    for (let k = 0; k < 3; k++) {
      const vertex = shell.corners[3 * i + k]!;
      const weight = Math.max(0, shell.weights[3 * i + k]!);
      all[vertex]! += weight;
      hairs[vertex]! += weight * hair;
      for (let c = 0; c < 3; c++) sums[4 * vertex + c]! += weight * hair * own[c]!;
    }
  }
  const values = new Float32Array(4 * count);
  for (let v = 0; v < count; v++) values.set([...color, 1], 4 * v);
  for (let round = 0; round < SPREAD.rounds; round++) {
    for (let step = 0; step < count; step++) {
      const v = round % 2 === 0 ? step : count - 1 - step;
      const beside = shell.neighbours[v]!;
      for (let c = 0; c < 4; c++) {
        const data = c < 3 ? hairs[v]! : all[v]!;
        const own = c < 3 ? sums[4 * v + c]! : hairs[v]!;
        let mean = 0;
        for (const n of beside) mean += values[4 * n + c]! / beside.length;
        values[4 * v + c] = (own + SPREAD.screen * (c < 3 ? color[c]! : 1) + mean) / (data + SPREAD.screen + 1);
      }
    }
  }
  return { values };
}

/** Whether a colour seen on the shell is scalp rather than hair. */
function skinTone(skin: readonly Color[], bald: boolean): (color: Color) => boolean {
  if (bald || skin.length === 0) return () => bald;
  const tones = skin.map(toneOf);
  const middle = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
  const tint = [0, 1].map((k) => middle(tones.map((tone) => tone.tint[k]!))) as [number, number];
  const light = middle(tones.map((tone) => tone.light));
  return (color) => {
    const tone = toneOf(color);
    return Math.hypot(tone.tint[0] - tint[0], tone.tint[1] - tint[1]) < 0.2 && Math.abs(tone.light - light) < 0.55;
  };
}

function middleOf(shell: HairShell, texture: Uint8Array): Color {
  const sum = [0, 0, 0];
  for (const texel of shell.texels) for (let c = 0; c < 3; c++) sum[c]! += texture[4 * texel + c]!;
  return sum.map((value) => value / Math.max(1, shell.texels.length)) as unknown as Color;
}

function colorAt(texture: Uint8Array, texel: number): Color {
  return [texture[4 * texel]!, texture[4 * texel + 1]!, texture[4 * texel + 2]!];
}

function smoothStep(low: number, high: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
}

/** Smaller levels of a texture mix texels across the border of an island: what lies just outside holds hair too, this share of the texture's side. */
const GUTTER = 0.006;

/** Half of the way to the next island: more would paint hair on skin. */
function growIntoGaps(shell: HairShell, texture: Uint8Array, size: number): void {
  const taken = new Uint8Array(size * size);
  for (const texel of shell.texels) taken[texel] = 1;
  let front: readonly number[] = [...shell.texels];
  for (let ring = 0; ring < Math.floor(GUTTER * size); ring++) {
    const next: number[] = [];
    for (const texel of front) {
      const [x, y] = [texel % size, Math.floor(texel / size)];
      for (const [dx, dy] of BESIDE) {
        const beside = texel + dx + dy * size;
        if (x + dx < 0 || x + dx >= size || y + dy < 0 || y + dy >= size || taken[beside] !== 0) continue;
        taken[beside] = 1;
        texture.copyWithin(4 * beside, 4 * texel, 4 * texel + 3);
        next.push(beside);
      }
    }
    front = next;
  }
}

const BESIDE: readonly (readonly [number, number])[] = [
  [-1, 0],
  [1, 0],
  [0, -1],
  [0, 1],
];
