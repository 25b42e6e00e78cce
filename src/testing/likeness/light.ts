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

/**
 * The one light under which a drawn head is nearest to a photo of it, least squares in sRGB to first order.
 * @param photo [pixels][3] sRGB. @param use which pixels show the same head in both.
 */
export function fitLight(drawn: Unlit, photo: Uint8Array, use: (pixel: number) => boolean): Light {
  const matrices = [0, 1, 2].map(() => new Float64Array(16));
  const sides = [0, 1, 2].map(() => new Float64Array(4));
  const terms = new Float64Array(4);
  for (let i = 0; i < photo.length / 3; ++i) {
    if (!use(i)) continue;
    for (let c = 0; c < 3; ++c) {
      const albedo = linear(drawn.rgba[4 * i + c]!);
      const wanted = linear(photo[3 * i + c]!);
      // The slope of sRGB at the photo's value.
      const weight = (wanted + 0.01) ** (-2 * (1 - 1 / 2.4));
      terms[0] = albedo;
      for (let k = 0; k < 3; ++k) terms[k + 1] = albedo * drawn.normals[3 * i + k]!;
      for (let a = 0; a < 4; ++a) {
        sides[c]![a]! += weight * terms[a]! * wanted;
        for (let b = 0; b < 4; ++b) matrices[c]![4 * a + b]! += weight * terms[a]! * terms[b]!;
      }
    }
  }
  const light = new Float64Array(12);
  for (let c = 0; c < 3; ++c) {
    const matrix = matrices[c]!;
    // Keeps what the pixels do not tell (all normals alike) at nothing.
    for (let k = 0; k < 4; ++k) matrix[5 * k]! += 1e-6 * (matrix[0]! + 1e-9);
    light.set(solveSymmetric(matrix, sides[c]!) ?? Float64Array.of(1, 0, 0, 0), 4 * c);
  }
  return light;
}

/** The drawn head under a light, [pixels][4]. @param gain of the whole picture: what the camera's exposure changed by. */
export function underLight(drawn: Unlit, light: Light, gain = 1): Uint8Array {
  const out = drawn.rgba.slice();
  for (let i = 0; i < out.length / 4; ++i) {
    if (out[4 * i + 3] === 0) continue;
    for (let c = 0; c < 3; ++c) {
      let shade = light[4 * c]!;
      for (let k = 0; k < 3; ++k) shade += light[4 * c + k + 1]! * drawn.normals[3 * i + k]!;
      out[4 * i + c] = Math.round(encoded(linear(out[4 * i + c]!) * Math.max(DARKEST, shade) * gain));
    }
  }
  return out;
}

/**
 * By how much one picture is exposed longer than another, from what stands still in both.
 * @param use pixels that show the same in both.
 */
export function exposureRatio(later: Uint8Array, earlier: Uint8Array, use: (pixel: number) => boolean): number {
  let [above, below] = [0, 0];
  for (let i = 0; i < later.length / 3; ++i) {
    if (!use(i)) continue;
    for (let c = 0; c < 3; ++c) {
      const [a, b] = [linear(later[3 * i + c]!), linear(earlier[3 * i + c]!)];
      // Film bends what is bright, and noise drowns what is dark.
      if (Math.max(a, b) > 0.55 || Math.min(a, b) < 0.01) continue;
      above += a;
      below += b;
    }
  }
  return below === 0 ? Number.NaN : above / below;
}
