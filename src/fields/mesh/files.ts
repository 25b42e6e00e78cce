import { DafError } from '../../core/contracts/errors.js';
import { loadSharp } from '../../core/sharp.js';
import { writeGlb } from './export/glb.js';
import { vertexColors } from './export/mesh.js';
import { writeObj } from './export/obj.js';
import { writePly } from './export/ply.js';
import type { FieldMesh } from './types.js';

export const MESH_FORMATS = ['glb', 'obj', 'ply'] as const;
export type MeshFormat = (typeof MESH_FORMATS)[number];

/** A file to write: its name and what it holds. */
export interface MeshFile {
  readonly name: string;
  readonly bytes: Uint8Array | string;
}

export interface MeshFileOptions {
  /** Metres per unit of the field: the glTF file's root node scales by it, and its vertices stay in the field's unit. @defaultValue 1 */
  readonly unit?: number;
  /**
   * Which axis of the field points up: for `z` the glTF file's root node turns the mesh to glTF's y up, and its vertices stay in the field's
   * frame. @defaultValue 'y'
   */
  readonly up?: 'y' | 'z';
}

const MATERIAL = 'surface';
const SPACE = 'mesh of a radiance field, in the frame and unit of the field';
const Z_UP = [1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1];

/** @throws DafError ERR_DAF_BAD_OPTION for an ending that names no format */
export function meshFormat(file: string): MeshFormat {
  const ending = /\.([^./]+)$/.exec(file)?.[1]?.toLowerCase();
  const format = MESH_FORMATS.find((known) => known === ending);
  if (format !== undefined) return format;
  throw new DafError('ERR_DAF_BAD_OPTION', `${file}: a mesh file ends in .glb, .obj or .ply`);
}

/**
 * The mesh in a format; OBJ is three files.
 * @param base file name without ending.
 */
export async function meshFiles(
  mesh: FieldMesh,
  format: MeshFormat,
  base: string,
  options: MeshFileOptions = {},
): Promise<MeshFile[]> {
  const { rgb, size } = mesh.texture;
  if (format === 'ply') return [{ name: `${base}.ply`, bytes: writePly(mesh, vertexColors(mesh.uvs, rgb, size, size), SPACE) }];
  const sharp = await loadSharp();
  const raw = { width: size, height: size, channels: 3 } as const;
  const png = new Uint8Array(await sharp(rgb, { raw }).png({ compressionLevel: 7 }).toBuffer());
  if (format === 'obj') {
    const { obj, mtl } = writeObj(mesh, base, { material: MATERIAL, space: SPACE });
    return [
      { name: `${base}.obj`, bytes: obj },
      { name: `${base}.mtl`, bytes: mtl },
      { name: `${base}.png`, bytes: png },
    ];
  }
  const { unit = 1, up = 'y' } = options;
  const style = {
    material: MATERIAL,
    space: SPACE,
    scene: 'field',
    name: base,
    roughness: 1,
    doubleSided: false,
    extras: { frame: 'field', up, metresPerUnit: unit, level: mesh.report.level, resolution: mesh.report.resolution },
    ...worldOf(unit, up),
  };
  return [{ name: `${base}.glb`, bytes: await writeGlb(mesh, { bytes: png, mime: 'image/png' }, style) }];
}

/** Nothing where the field's frame is glTF's already. */
function worldOf(unit: number, up: 'y' | 'z'): { toWorld?: readonly number[] } {
  if (up === 'y' && unit === 1) return {};
  const rotation = up === 'z' ? Z_UP : [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  return { toWorld: rotation.map((value, i) => (i < 12 ? value * unit : value)) };
}
