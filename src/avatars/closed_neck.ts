import { boxOf } from './camera.js';
import type { Surface } from './surface.js';

/**
 * The surface with the opening of its neck closed by a lid in the colours of its rim. Seen from below or behind, an open neck shows the hollow inside the
 * head: a field that must keep the two sides of a thin wall apart ends in rags. A surface without openings stays as it is.
 */
export function closedNeck(surface: Surface): Surface {
  const { positions, triangles, uv } = surface.mesh;
  const source = surface.mesh.source ?? Uint32Array.from({ length: positions.length / 3 }, (_, i) => i);
  const rim = lowestOpening(positions, source, triangles);
  if (rim.length === 0 || uv === null) return surface;
  // The lid's middle is one place, and a vertex for each edge in that edge's own colour.
  const closed = {
    positions: longer(positions, 3),
    source: longer(source, rim.length),
    uv: longer(uv, 2 * rim.length),
    triangles: longer(triangles, 3 * rim.length),
  };
  for (const [i, [from, to]] of rim.entries()) {
    const vertex = source.length + i;
    closed.source[vertex] = positions.length / 3;
    closed.uv.set(uv.subarray(2 * from, 2 * from + 2), 2 * vertex);
    closed.triangles.set([to, from, vertex], triangles.length + 3 * i);
    for (let k = 0; k < 3; k++) closed.positions[positions.length + k]! += positions[3 * source[from]! + k]! / rim.length;
  }
  return { ...surface, mesh: closed };
}

function longer<T extends Float32Array | Uint32Array>(values: T, by: number): T {
  const out = new (values.constructor as new (length: number) => T)(values.length + by);
  out.set(values);
  return out;
}

/** Vertices of an edge that only one triangle has, in that triangle's order. */
type OpenEdge = readonly [number, number];

/**
 * Of the openings that lie wholly in the mesh's lower half the one that is lowest in the mean: hair may hang below a neck, but its edge runs up around
 * the face.
 */
function lowestOpening(positions: Float32Array, source: Uint32Array, triangles: Uint32Array): readonly OpenEdge[] {
  const { min, max } = boxOf(positions);
  const middle = (min[1] + max[1]) / 2;
  const heightOf = (vertex: number): number => positions[3 * source[vertex]! + 1]!;
  const open = new Map<number, OpenEdge>();
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const [one, other] = [triangles[t + k]!, triangles[t + ((k + 1) % 3)]!];
      if (heightOf(one) > middle || heightOf(other) > middle) continue;
      const [a, b] = [source[one]!, source[other]!];
      const key = Math.min(a, b) * positions.length + Math.max(a, b);
      if (!open.delete(key)) open.set(key, [one, other]);
    }
  }
  const from = new Map([...open.values()].map((edge) => [source[edge[0]]!, edge]));
  let lowest: { readonly loop: readonly OpenEdge[]; readonly height: number } = { loop: [], height: Infinity };
  for (const start of from.keys()) {
    const loop: OpenEdge[] = [];
    let at = start;
    for (let edge = from.get(at); edge !== undefined; edge = from.get(at)) {
      from.delete(at);
      loop.push(edge);
      at = source[edge[1]]!;
    }
    const height = loop.reduce((sum, [vertex]) => sum + heightOf(vertex), 0) / loop.length;
    if (at === start && height < lowest.height) lowest = { loop, height };
  }
  return lowest.loop;
}
