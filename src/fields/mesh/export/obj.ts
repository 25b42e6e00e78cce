import { DafError } from '../../../core/contracts/errors.js';
import { native } from '../../native.js';
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
  lines.push(floatLines('v ', mesh.positions, 3));
  lines.push(remembered(uvText, mesh.uvs, () => uvLines(mesh.uvs)));
  lines.push(floatLines('vn ', mesh.normals, 3));
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
  return floatLines(
    'vt ',
    uvs.map((value, i) => (i % 2 === 0 ? value : 1 - value)),
    2,
  );
}

function faceLines(triangles: Uint32Array, part: MeshPart): string {
  const lines: string[] = [];
  for (let t = part.firstTriangle; t < part.firstTriangle + part.triangleCount; t++) {
    const [a, b, c] = [triangles[3 * t]! + 1, triangles[3 * t + 1]! + 1, triangles[3 * t + 2]! + 1];
    lines.push(`f ${a}/${a}/${a} ${b}/${b}/${b} ${c}/${c}/${c}`);
  }
  return lines.join('\n');
}

/** The fewest digits that read back as the same 32-bit float, so that every format holds the same vertices; no newline at the end. */
function floatLines(prefix: string, values: Float32Array, width: number): string {
  return native((daf) => daf.floatLines(prefix, values, width)).slice(0, -1);
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
