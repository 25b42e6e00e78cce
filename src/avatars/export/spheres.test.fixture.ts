import { type AvatarMesh, avatarMesh } from './mesh.js';

/** Two spheres, each with a UV seam: the second is moved by no expression, as an eye is not by a smile. */
export function spheres(): AvatarMesh {
  const rings = 8;
  const sectors = 12;
  const positions: number[] = [];
  const source: number[] = [];
  const uvs: number[] = [];
  const triangles: number[] = [];
  const parts = [];
  for (const [name, centre, radius] of [
    ['skin', 0, 9],
    ['eye_left', 3.1, 1.2],
  ] as const) {
    const firstPosition = positions.length / 3;
    const firstVertex = source.length;
    const firstTriangle = triangles.length / 3;
    for (let r = 0; r <= rings; r++) {
      for (let s = 0; s <= sectors; s++) {
        const a = (Math.PI * r) / rings;
        const b = (2 * Math.PI * s) / sectors;
        if (s < sectors) {
          positions.push(centre + radius * Math.sin(a) * Math.sin(b), radius * Math.cos(a), radius * Math.sin(a) * Math.cos(b));
        }
        source.push(firstPosition + r * sectors + (s % sectors));
        uvs.push(s / sectors, r / rings);
        if (r === rings || s === sectors) continue;
        const v = firstVertex + r * (sectors + 1) + s;
        if (r > 0) triangles.push(v, v + sectors + 1, v + 1);
        if (r < rings - 1) triangles.push(v + 1, v + sectors + 1, v + sectors + 2);
      }
    }
    const vertexCount = source.length - firstVertex;
    parts.push({ name, firstVertex, vertexCount, firstTriangle, triangleCount: triangles.length / 3 - firstTriangle });
  }
  const smile = new Float32Array(positions.length);
  smile.set([0, 0.5, 0.25], 60);
  return avatarMesh({
    positions: Float32Array.from(positions),
    source: Uint32Array.from(source),
    uvs: Float32Array.from(uvs),
    triangles: Uint32Array.from(triangles),
    parts,
    expressions: [
      { name: 'mouthSmileLeft', deltas: smile },
      { name: 'jawOpen', deltas: new Float32Array(positions.length) },
    ],
  });
}
