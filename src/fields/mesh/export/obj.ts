import { DafError } from '../../../core/contracts/errors.js';
import type { MeshLabel, MeshPart, TexturedMesh } from './mesh.js';

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
  lines.push(remembered(uvText, mesh.uvs, () => uvLines(mesh.uvs)));
  for (let i = 0; i < mesh.normals.length; i += 3) lines.push(`vn ${triple(mesh.normals, i)}`);
  lines.push(`usemtl ${material}`);
  const texts = remembered(faceText, mesh.triangles, () => new WeakMap<MeshPart, string>());
  for (const part of mesh.parts) {
    if (part.triangleCount === 0) continue;
    lines.push(`g ${part.name}`);
    lines.push(remembered(texts, part, () => faceLines(mesh.triangles, part)));
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

/** Everybody's head shares its UVs and parts, arrays that nobody changes: their text is made once for as long as they live. */
const uvText = new WeakMap<object, string>();
const faceText = new WeakMap<object, WeakMap<MeshPart, string>>();

function remembered<K extends object, V>(known: WeakMap<K, V>, key: K, make: () => V): V {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}

/** OBJ counts v upward from the bottom of the image, glTF downward from its top. */
function uvLines(uvs: Float32Array): string {
  const lines: string[] = [];
  for (let i = 0; i < uvs.length; i += 2) lines.push(`vt ${short(uvs[i]!)} ${short(Math.fround(1 - uvs[i + 1]!))}`);
  return lines.join('\n');
}

function faceLines(triangles: Uint32Array, part: MeshPart): string {
  const lines: string[] = [];
  for (let t = part.firstTriangle; t < part.firstTriangle + part.triangleCount; t++) {
    const [a, b, c] = [triangles[3 * t]! + 1, triangles[3 * t + 1]! + 1, triangles[3 * t + 2]! + 1];
    lines.push(`f ${a}/${a}/${a} ${b}/${b}/${b} ${c}/${c}/${c}`);
  }
  return lines.join('\n');
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
