import type { MeshArrays } from '../core/addon/index.js';

/**
 * Called for a texel of a triangle; both arrays are used again for the next.
 * @param corners vertices. @param weights of the corners, summing to 1; slightly outside at borders.
 */
export type VisitTexel = (texel: number, corners: readonly number[], weights: readonly number[]) => void;

/** Visits the texels of the triangles [first, end) in a texture of size × size; those on a shared border more than once. */
export function visitTexels(
  mesh: Pick<MeshArrays, 'uv' | 'triangles'>,
  triangles: readonly [number, number],
  size: number,
  visit: VisitTexel,
): void {
  const uv = mesh.uv!;
  const corners: [number, number, number] = [0, 0, 0];
  const weights: [number, number, number] = [0, 0, 0];
  for (let t = triangles[0]; t < triangles[1]; t++) {
    for (let k = 0; k < 3; k++) corners[k] = mesh.triangles[3 * t + k]!;
    const [u0, v0] = [uv[2 * corners[0]]! * size - 0.5, uv[2 * corners[0] + 1]! * size - 0.5];
    const [u1, v1] = [uv[2 * corners[1]]! * size - 0.5, uv[2 * corners[1] + 1]! * size - 0.5];
    const [u2, v2] = [uv[2 * corners[2]]! * size - 0.5, uv[2 * corners[2] + 1]! * size - 0.5];
    const area = (u1 - u0) * (v2 - v0) - (u2 - u0) * (v1 - v0);
    if (Math.abs(area) < 1e-9) continue;
    const [left, right] = [Math.max(0, Math.floor(Math.min(u0, u1, u2))), Math.min(size - 1, Math.ceil(Math.max(u0, u1, u2)))];
    const [top, bottom] = [Math.max(0, Math.floor(Math.min(v0, v1, v2))), Math.min(size - 1, Math.ceil(Math.max(v0, v1, v2)))];
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        weights[1] = ((x - u0) * (v2 - v0) - (u2 - u0) * (y - v0)) / area;
        weights[2] = ((u1 - u0) * (y - v0) - (x - u0) * (v1 - v0)) / area;
        weights[0] = 1 - weights[1] - weights[2];
        if (weights[0] < -0.05 || weights[1] < -0.05 || weights[2] < -0.05) continue;
        visit(y * size + x, corners, weights);
      }
    }
  }
}

/**
 * Paints a texture by where its texels lie on the head, so that colours and marks stand where they belong.
 * @param texture [size][size][4], changed in place. @param triangles [first, end) of the triangles to paint.
 * @param color of a point (cm), or null to leave the texel.
 * @returns texels painted.
 */
export function paintByPosition(
  mesh: MeshArrays,
  triangles: readonly [number, number],
  texture: Uint8Array,
  size: number,
  color: (x: number, y: number, z: number) => readonly [number, number, number] | null,
): number {
  let painted = 0;
  const { positions, source } = mesh;
  visitTexels(mesh, triangles, size, (texel, corners, weights) => {
    const at = (k: number): number =>
      weights.reduce((sum, weight, i) => sum + weight * positions[3 * (source?.[corners[i]!] ?? corners[i]!) + k]!, 0);
    const paint = color(at(0), at(1), at(2));
    if (paint === null) return;
    texture.set(paint, 4 * texel);
    painted++;
  });
  return painted;
}
