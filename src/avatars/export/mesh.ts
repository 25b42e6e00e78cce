import type { MeshPart, TexturedMesh } from '../../fields/mesh/export/mesh.js';

/** The mesh of an avatar as every exporter writes it: metres, y up, facing +z, +x the person's left. */
export type AvatarMesh = TexturedMesh;

/** Head space is centimetres, every file is metres. */
export const METRES_PER_CM = 0.01;

/** What the head model gives: positions are shared across UV seams, vertices are not. */
export interface FittedHead {
  /** [V][3] cm. */
  readonly positions: Float32Array;
  /** [R] vertex → position. */
  readonly source: Uint32Array;
  readonly uvs: Float32Array;
  readonly triangles: Uint32Array;
  readonly parts: readonly MeshPart[];
  /** [V][3] cm at weight 1. */
  readonly expressions: readonly { readonly name: string; readonly deltas: Float32Array }[];
}

/** Normals are averaged over positions, so that a UV seam shows no crease. */
export function avatarMesh(head: FittedHead): AvatarMesh {
  const normals = vertexNormals(head.positions, head.source, head.triangles);
  return {
    positions: expand(head.positions, head.source, METRES_PER_CM),
    normals: expand(normals, head.source, 1),
    uvs: head.uvs,
    triangles: head.triangles,
    parts: head.parts,
    expressions: expressionsOf(head),
  };
}

/** The same offsets for everybody with this head: made once, so that writers too may keep what they make of them. */
const expanded = new WeakMap<
  FittedHead['expressions'],
  { readonly source: Uint32Array; readonly made: AvatarMesh['expressions'] }
>();

function expressionsOf({ expressions, source }: FittedHead): AvatarMesh['expressions'] {
  const known = expanded.get(expressions);
  if (known !== undefined && known.source === source) return known.made;
  const made = expressions.map(({ name, deltas }) => ({ name, deltas: expand(deltas, source, METRES_PER_CM) }));
  expanded.set(expressions, { source, made });
  return made;
}

/**
 * Area-weighted unit normals of shared positions.
 * @param positions [V][3]; @param source vertex → position; @param triangles vertex indices.
 * @returns [V][3]; (0,0,1) where no triangle with an area touches a position.
 */
export function vertexNormals(positions: Float32Array, source: Uint32Array, triangles: Uint32Array): Float32Array {
  const sums = new Float64Array(positions.length);
  for (let t = 0; t < triangles.length; t += 3) {
    const a = 3 * source[triangles[t]!]!;
    const b = 3 * source[triangles[t + 1]!]!;
    const c = 3 * source[triangles[t + 2]!]!;
    const ux = positions[b]! - positions[a]!;
    const uy = positions[b + 1]! - positions[a + 1]!;
    const uz = positions[b + 2]! - positions[a + 2]!;
    const vx = positions[c]! - positions[a]!;
    const vy = positions[c + 1]! - positions[a + 1]!;
    const vz = positions[c + 2]! - positions[a + 2]!;
    const nx = uy * vz - uz * vy;
    const ny = uz * vx - ux * vz;
    const nz = ux * vy - uy * vx;
    for (const corner of [a, b, c]) {
      sums[corner]! += nx;
      sums[corner + 1]! += ny;
      sums[corner + 2]! += nz;
    }
  }
  const out = new Float32Array(positions.length);
  for (let p = 0; p < sums.length; p += 3) {
    const length = Math.sqrt(sums[p]! ** 2 + sums[p + 1]! ** 2 + sums[p + 2]! ** 2);
    const usable = length > 1e-20;
    out[p] = usable ? sums[p]! / length : 0;
    out[p + 1] = usable ? sums[p + 1]! / length : 0;
    out[p + 2] = usable ? sums[p + 2]! / length : 1;
  }
  return out;
}

function expand(values: Float32Array, source: Uint32Array, scale: number): Float32Array {
  const out = new Float32Array(3 * source.length);
  for (let r = 0; r < source.length; r++) {
    const from = 3 * source[r]!;
    out[3 * r] = values[from]! * scale;
    out[3 * r + 1] = values[from + 1]! * scale;
    out[3 * r + 2] = values[from + 2]! * scale;
  }
  return out;
}
