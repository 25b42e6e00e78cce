import type { MeshArrays } from '../core/addon/index.js';

/** Called for a texel of a triangle. @param corners vertices. @param weights of the corners, summing to 1; slightly outside at borders. */
export type VisitTexel = (texel: number, corners: readonly number[], weights: readonly number[]) => void;

/** Visits the texels of the triangles [first, end) in a texture of size × size; those on a shared border more than once. */
export function visitTexels(
  mesh: Pick<MeshArrays, 'uv' | 'triangles'>,
  triangles: readonly [number, number],
  size: number,
  visit: VisitTexel,
): void {
  const { uv } = mesh;
  for (let t = triangles[0]; t < triangles[1]; t++) {
    const corners = [0, 1, 2].map((k) => mesh.triangles[3 * t + k]!);
    const [u, v] = [0, 1].map((axis) => corners.map((corner) => uv![2 * corner + axis]! * size - 0.5)) as [number[], number[]];
    const area = (u[1]! - u[0]!) * (v[2]! - v[0]!) - (u[2]! - u[0]!) * (v[1]! - v[0]!);
    if (Math.abs(area) < 1e-9) continue;
    for (let y = Math.max(0, Math.floor(Math.min(...v))); y <= Math.min(size - 1, Math.ceil(Math.max(...v))); y++) {
      for (let x = Math.max(0, Math.floor(Math.min(...u))); x <= Math.min(size - 1, Math.ceil(Math.max(...u))); x++) {
        const b = ((x - u[0]!) * (v[2]! - v[0]!) - (u[2]! - u[0]!) * (y - v[0]!)) / area;
        const c = ((u[1]! - u[0]!) * (y - v[0]!) - (x - u[0]!) * (v[1]! - v[0]!)) / area;
        const a = 1 - b - c;
        if (a < -0.05 || b < -0.05 || c < -0.05) continue;
        visit(y * size + x, corners, [a, b, c]);
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
