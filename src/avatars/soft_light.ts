import { vertexNormals } from './export/mesh.js';
import type { Surface } from './surface.js';
import { visitTexels } from './uv_paint.js';

/**
 * The light of pictures, by the surface's direction in head space: a bright room, more from above and before than from below and behind. It stays with the
 * head, so that every view agrees. Hollows see less of it: by `hollow` times the share of an edge that a vertex lies below its neighbours. Linear;
 * 1 where a flat face looks ahead.
 */
const LIGHT = { ambient: 0.74, up: 0.22, ahead: 0.26, hollow: 1.2, least: 0.4 } as const;

/**
 * The surface under the light that pictures and fields show it in. The files keep the texture as it is: a viewer brings its own light, and a picture
 * without any would be flat.
 */
export function inSoftLight(surface: Surface): Surface {
  const { mesh, textureWidth: size } = surface;
  const { positions, triangles } = mesh;
  const source = mesh.source ?? Uint32Array.from({ length: positions.length / 3 }, (_, i) => i);
  const normals = vertexNormals(positions, source, triangles);
  const hollow = hollows(positions, normals, source, triangles);
  const light = new Float32Array(source.length);
  for (const [vertex, position] of source.entries()) {
    const [up, ahead] = [normals[3 * position + 1]!, normals[3 * position + 2]!];
    const open = LIGHT.ambient + LIGHT.up * up + LIGHT.ahead * ahead;
    // What is twice as bright in linear light is 2^(1/2.4) as bright in sRGB, near enough.
    light[vertex] = Math.max(LIGHT.least, open * (1 - LIGHT.hollow * hollow[position]!)) ** (1 / 2.4);
  }
  const gains = new Float32Array(size * surface.textureHeight);
  visitTexels(mesh, [0, triangles.length / 3], size, (texel, corners, weights) => {
    if (gains[texel] !== 0) return;
    gains[texel] = weights[0]! * light[corners[0]!]! + weights[1]! * light[corners[1]!]! + weights[2]! * light[corners[2]!]!;
  });
  growIntoGaps(gains, size);
  const texture = surface.texture.slice();
  for (let texel = 0; texel < gains.length; texel++) {
    const gain = gains[texel]!;
    if (gain === 0) continue;
    for (let c = 0; c < 3; c++) texture[4 * texel + c] = Math.min(255, Math.round(gain * texture[4 * texel + c]!));
  }
  return { ...surface, texture };
}

/** Texels around a chart that hold its colours, for filters that reach over its border; native/head/texture grows as many. */
const RINGS = 8;

/** A chart's light goes with its colours into the gaps around it: filters would show light lines where charts end. */
function growIntoGaps(gains: Float32Array, size: number): void {
  let front: number[] = [];
  for (let texel = 0; texel < gains.length; texel++) {
    if (gains[texel] !== 0 && isBesideGap(gains, texel, size)) front.push(texel);
  }
  for (let ring = 0; ring < RINGS; ring++) {
    const next: number[] = [];
    for (const texel of front) {
      const x = texel % size;
      for (const beside of [x > 0 ? texel - 1 : -1, x < size - 1 ? texel + 1 : -1, texel - size, texel + size]) {
        if (gains[beside] !== 0) continue;
        gains[beside] = gains[texel]!;
        next.push(beside);
      }
    }
    front = next;
  }
}

/** Outside the texture there is no gap. */
function isBesideGap(gains: Float32Array, texel: number, size: number): boolean {
  return gains[texel - 1] === 0 || gains[texel + 1] === 0 || gains[texel - size] === 0 || gains[texel + size] === 0;
}

/** How far each position lies below the middle of those beside it, in lengths of an edge: 0 on hills, at most DEEPEST. */
function hollows(positions: Float32Array, normals: Float32Array, source: Uint32Array, triangles: Uint32Array): Float32Array {
  const count = positions.length / 3;
  const depth = new Float64Array(count);
  const length = new Float64Array(count);
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const from = source[triangles[t + k]!]!;
      const to = source[triangles[t + ((k + 1) % 3)]!]!;
      const x = positions[3 * to]! - positions[3 * from]!;
      const y = positions[3 * to + 1]! - positions[3 * from + 1]!;
      const z = positions[3 * to + 2]! - positions[3 * from + 2]!;
      const reach = Math.sqrt(x * x + y * y + z * z);
      // Each inner edge comes by twice, once from either end.
      depth[from]! += x * normals[3 * from]! + y * normals[3 * from + 1]! + z * normals[3 * from + 2]!;
      depth[to]! -= x * normals[3 * to]! + y * normals[3 * to + 1]! + z * normals[3 * to + 2]!;
      length[from]! += reach;
      length[to]! += reach;
    }
  }
  return Float32Array.from(depth, (sum, p) => (length[p]! > 0 ? Math.min(DEEPEST, Math.max(0, sum / length[p]!)) : 0));
}

const DEEPEST = 0.4;
