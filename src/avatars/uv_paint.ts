import type { MeshArrays } from '../core/addon/index.js';

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
  const { positions, uv } = mesh;
  for (let t = triangles[0]; t < triangles[1]; t++) {
    const corners = [0, 1, 2].map((k) => mesh.triangles[3 * t + k]!);
    const places = corners.map((corner) => 3 * (mesh.source?.[corner] ?? corner));
    const [u, v] = [0, 1].map((axis) => corners.map((corner) => uv![2 * corner + axis]! * size - 0.5)) as [number[], number[]];
    const area = (u[1]! - u[0]!) * (v[2]! - v[0]!) - (u[2]! - u[0]!) * (v[1]! - v[0]!);
    if (Math.abs(area) < 1e-9) continue;
    for (let y = Math.max(0, Math.floor(Math.min(...v))); y <= Math.min(size - 1, Math.ceil(Math.max(...v))); y++) {
      for (let x = Math.max(0, Math.floor(Math.min(...u))); x <= Math.min(size - 1, Math.ceil(Math.max(...u))); x++) {
        const b = ((x - u[0]!) * (v[2]! - v[0]!) - (u[2]! - u[0]!) * (y - v[0]!)) / area;
        const c = ((u[1]! - u[0]!) * (y - v[0]!) - (x - u[0]!) * (v[1]! - v[0]!)) / area;
        const weights = [1 - b - c, b, c];
        if (weights.some((weight) => weight < -0.05)) continue;
        const at = (k: number): number => weights.reduce((sum, weight, i) => sum + weight * positions[places[i]! + k]!, 0);
        const paint = color(at(0), at(1), at(2));
        if (paint === null) continue;
        texture.set(paint, 4 * (y * size + x));
        painted++;
      }
    }
  }
  return painted;
}
