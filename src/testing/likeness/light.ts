import { solveSymmetric } from './pose.js';

/** [3][4]: rgb × (ambient, x, y, z), linear, on normals of camera space (x right, y up, z towards the camera). */
export type Light = Float64Array;

/** A head drawn without light, and which way its surface looks. */
export interface Unlit {
  /** [pixels][4] sRGB, straight alpha. */
  readonly rgba: Uint8Array;
  /** [pixels][3] unit, camera space. */
  readonly normals: Float32Array;
}

const LINEAR = Float64Array.from({ length: 256 }, (_, i) => {
  const value = i / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});

export const linear = (byte: number): number => LINEAR[byte]!;

/** Linear 0…1 → 0…255, not rounded. */
export function encoded(value: number): number {
  if (value <= 0) return 0;
  return 255 * Math.min(1, value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055);
}

/** No shading falls below this: a first-order light may be negative where a real one is only dark. */
const DARKEST = 0.02;

/** Errors of sRGB, 0…1, from which on a pixel matters less; each round trusts the last one more. */
const TOLERATED = [0.3, 0.2, 0.13, 0.09, 0.06, 0.06, 0.06, 0.06] as const;

/**
 * The one light under which a drawn head is nearest to a photo of it: least squares in sRGB to first order, from the median of what is brighter, with
 * the weight of a pixel falling as its error grows (Cauchy), because hair or a shadow that one of both lacks is no light.
 * @param photo [pixels][3] sRGB. @param use which pixels show the same head in both.
 */
export function fitLight(drawn: Unlit, photo: Uint8Array, use: (pixel: number) => boolean): Light {
  const used: number[] = [];
  for (let i = 0; i < photo.length / 3; ++i) if (use(i)) used.push(i);
  const light = new Float64Array(12);
  for (let c = 0; c < 3; ++c) {
    const ratios = Float64Array.from(
      used,
      (i) => (linear(photo[3 * i + c]!) + 1e-4) / (linear(drawn.rgba[4 * i + c]!) + 1e-4),
    ).sort();
    let found: Float64Array = Float64Array.of(ratios[ratios.length >> 1] ?? 1, 0, 0, 0);
    for (const tolerated of TOLERATED) found = improved(drawn, photo, used, c, found, tolerated);
    light.set(found, 4 * c);
  }
  return light;
}

/** One round for one channel. */
function improved(
  drawn: Unlit,
  photo: Uint8Array,
  used: readonly number[],
  c: number,
  last: Float64Array,
  tolerated: number,
): Float64Array {
  const matrix = new Float64Array(16);
  const side = new Float64Array(4);
  const terms = new Float64Array(4);
  for (const i of used) {
    const wanted = linear(photo[3 * i + c]!);
    terms[0] = linear(drawn.rgba[4 * i + c]!);
    for (let k = 0; k < 3; ++k) terms[k + 1] = terms[0]! * drawn.normals[3 * i + k]!;
    const given = terms.reduce((sum, term, k) => sum + term * last[k]!, 0);
    // Of sRGB, where photo and drawing are.
    const slope = (1.055 / 2.4) * (Math.max(wanted, given) + 0.01) ** (1 / 2.4 - 1);
    const error = (encoded(wanted) - encoded(given)) / 255;
    const weight = slope ** 2 / (1 + (error / tolerated) ** 2);
    for (let a = 0; a < 4; ++a) {
      side[a]! += weight * terms[a]! * wanted;
      for (let b = 0; b < 4; ++b) matrix[4 * a + b]! += weight * terms[a]! * terms[b]!;
    }
  }
  // Keeps what the pixels do not tell (all normals alike) at nothing.
  for (let k = 0; k < 4; ++k) matrix[5 * k]! += 1e-6 * (matrix[0]! + 1e-9);
  return solveSymmetric(matrix, side) ?? last;
}

/**
 * The drawn head under a light, [pixels][4].
 * @param gain of the whole picture: what the camera's exposure changed by. @param film what it makes of linear light.
 */
export function underLight(drawn: Unlit, light: Light, gain = 1, film: (value: number) => number = (value) => value): Uint8Array {
  const out = drawn.rgba.slice();
  for (let i = 0; i < out.length / 4; ++i) {
    if (out[4 * i + 3] === 0) continue;
    for (let c = 0; c < 3; ++c) {
      let shade = light[4 * c]!;
      for (let k = 0; k < 3; ++k) shade += light[4 * c + k + 1]! * drawn.normals[3 * i + k]!;
      out[4 * i + c] = Math.round(encoded(film(linear(out[4 * i + c]!) * Math.max(DARKEST, shade) * gain)));
    }
  }
  return out;
}

/**
 * By how much one picture is exposed longer than another, from what stands still in both.
 * @param use pixels that show the same in both.
 * @param lightOf what light a byte stands for, where a film bends bright values.
 * @returns NaN where no pixel that is used is neither drowned in noise nor burnt out.
 */
export function exposureRatio(
  later: Uint8Array,
  earlier: Uint8Array,
  use: (pixel: number) => boolean,
  lightOf: (byte: number) => number = linear,
): number {
  let [above, below] = [0, 0];
  for (let i = 0; i < later.length / 3; ++i) {
    if (!use(i)) continue;
    for (let c = 0; c < 3; ++c) {
      const [a, b] = [later[3 * i + c]!, earlier[3 * i + c]!];
      if (Math.max(a, b) > BURNT || Math.min(a, b) < DROWNED) continue;
      above += lightOf(a);
      below += lightOf(b);
    }
  }
  return below === 0 ? Number.NaN : above / below;
}

const BURNT = 249;
const DROWNED = 25;
