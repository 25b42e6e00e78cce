import { vertexNormals } from './export/mesh.js';
import type { Surface } from './surface.js';
import { visitTexels } from './uv_paint.js';

/**
 * The light of pictures, by the surface's direction in head space: a bright room, more from above and before than from below and behind. It stays with the
 * head, so that every view agrees. Linear; 1 where the face looks ahead.
 */
const LIGHT = { ambient: 0.8, up: 0.2, ahead: 0.2, least: 0.5 } as const;

/**
 * The surface under the light that pictures and fields show it in. The files keep the texture as it is: a viewer brings its own light, and a picture
 * without any would be flat.
 */
export function inSoftLight(surface: Surface): Surface {
  const { mesh, textureWidth: size } = surface;
  const { positions, triangles } = mesh;
  const source = mesh.source ?? Uint32Array.from({ length: positions.length / 3 }, (_, i) => i);
  const normals = vertexNormals(positions, source, triangles);
  const light = new Float32Array(source.length);
  for (const [vertex, position] of source.entries()) {
    const [up, ahead] = [normals[3 * position + 1]!, normals[3 * position + 2]!];
    light[vertex] = Math.max(LIGHT.least, LIGHT.ambient + LIGHT.up * up + LIGHT.ahead * ahead);
  }
  const texture = surface.texture.slice();
  const done = new Uint8Array(size * surface.textureHeight);
  visitTexels(mesh, [0, triangles.length / 3], size, (texel, corners, weights) => {
    if (done[texel] !== 0) return;
    done[texel] = 1;
    // What is twice as bright in linear light is 2^(1/2.4) as bright in sRGB, near enough.
    const gain = corners.reduce((sum, corner, i) => sum + weights[i]! * light[corner]!, 0) ** (1 / 2.4);
    for (let c = 0; c < 3; c++) texture[4 * texel + c] = Math.min(255, Math.round(gain * texture[4 * texel + c]!));
  });
  return { ...surface, texture };
}
