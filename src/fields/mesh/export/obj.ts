import { DafError } from '../../../core/contracts/errors.js';
import type { MeshLabel, TexturedMesh } from './mesh.js';

/** The OBJ and its material library as text. */
export interface ObjFiles {
  readonly obj: string;
  readonly mtl: string;
}

/**
 * Wavefront OBJ with UVs and normals, a group per part and one material.
 * @param base file name without ending: the OBJ names `<base>.mtl`, and that names `<base>.png`.
 */
export function writeObj(mesh: TexturedMesh, base: string, { material, space }: MeshLabel): ObjFiles {
  const lines: string[] = [`# daf: ${space}`, `mtllib ${base}.mtl`];
  for (let i = 0; i < mesh.positions.length; i += 3) lines.push(`v ${triple(mesh.positions, i)}`);
  // OBJ counts v upward from the bottom of the image, glTF downward from its top.
  for (let i = 0; i < mesh.uvs.length; i += 2)
    lines.push(`vt ${short(mesh.uvs[i]!)} ${short(Math.fround(1 - mesh.uvs[i + 1]!))}`);
  for (let i = 0; i < mesh.normals.length; i += 3) lines.push(`vn ${triple(mesh.normals, i)}`);
  lines.push(`usemtl ${material}`);
  for (const part of mesh.parts) {
    if (part.triangleCount === 0) continue;
    lines.push(`g ${part.name}`);
    for (let t = part.firstTriangle; t < part.firstTriangle + part.triangleCount; t++) {
      const corners = [0, 1, 2].map((k) => mesh.triangles[3 * t + k]! + 1);
      lines.push(`f ${corners.map((corner) => `${corner}/${corner}/${corner}`).join(' ')}`);
    }
  }
  const mtl = [
    '# daf',
    `newmtl ${material}`,
    'Ka 0 0 0',
    'Kd 1 1 1',
    'Ks 0.04 0.04 0.04',
    'Ns 10',
    'illum 2',
    `map_Kd ${base}.png`,
  ];
  return { obj: `${lines.join('\n')}\n`, mtl: `${mtl.join('\n')}\n` };
}

const triple = (values: Float32Array, at: number): string =>
  `${short(values[at]!)} ${short(values[at + 1]!)} ${short(values[at + 2]!)}`;

/** The fewest digits that read back as the same 32-bit float, so that every format holds the same vertices. */
function short(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}

/** Vertices and triangles of an OBJ as {@link writeObj} writes it; UVs in glTF's sense. @throws DafError ERR_DAF_BAD_DATA */
export function readObj(text: string): Pick<TexturedMesh, 'positions' | 'normals' | 'uvs' | 'triangles'> {
  const lists: Record<string, number[]> = { v: [], vt: [], vn: [] };
  const triangles: number[] = [];
  for (const line of text.split('\n')) {
    const [word = '', ...rest] = line.split(' ');
    if (word === 'f') {
      for (const corner of rest) {
        const [v, vt, vn] = corner.split('/');
        if (v !== vt || v !== vn) throw new DafError('ERR_DAF_BAD_DATA', 'the OBJ was not written by daf: mixed corner indices');
        triangles.push(Number(v) - 1);
      }
    } else lists[word]?.push(...rest.map(Number));
  }
  const uvs = Float32Array.from(lists['vt']!, (value, i) => (i % 2 === 1 ? 1 - value : value));
  return {
    positions: Float32Array.from(lists['v']!),
    normals: Float32Array.from(lists['vn']!),
    uvs,
    triangles: Uint32Array.from(triangles),
  };
}
