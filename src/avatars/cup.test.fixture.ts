import type { Surface } from './surface.js';

/** Edges around a cup. */
export const SECTORS = 12;

/** A cup upside down: a tube from y = −10 to `top`, open below and, where wanted, closed above. */
export function cup(top: number, closed: boolean): Surface {
  const positions: number[] = [];
  const uv: number[] = [];
  const triangles: number[] = [];
  for (const [row, y] of [-10, top].entries()) {
    for (let s = 0; s < SECTORS; s++) {
      const angle = (2 * Math.PI * s) / SECTORS;
      positions.push(5 * Math.sin(angle), y, 5 * Math.cos(angle));
      uv.push(s / SECTORS, row);
    }
  }
  for (let s = 0; s < SECTORS; s++) {
    const next = (s + 1) % SECTORS;
    triangles.push(s, next, SECTORS + s, next, SECTORS + next, SECTORS + s);
    if (closed && s > 0 && s < SECTORS - 1) triangles.push(SECTORS, SECTORS + s, SECTORS + next);
  }
  const mesh = {
    positions: Float32Array.from(positions),
    source: Uint32Array.from({ length: 2 * SECTORS }, (_, i) => i),
    uv: Float32Array.from(uv),
    triangles: Uint32Array.from(triangles),
  };
  const texture = new Uint8Array(16).fill(255);
  return { mesh, texture, textureWidth: 2, textureHeight: 2, box: { min: [-5, -10, -5], max: [5, top, 5] } };
}
