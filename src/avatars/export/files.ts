import { type GlbStyle, writeGlb } from '../../fields/mesh/export/glb.js';
import type { TextureFile } from '../../fields/mesh/export/mesh.js';
import { type ObjFiles, writeObj } from '../../fields/mesh/export/obj.js';
import { writePly } from '../../fields/mesh/export/ply.js';
import type { AvatarMesh } from './mesh.js';

/** Skin neither shines nor mirrors; two-sided because the hair shell and the neck are open at their borders. */
const AVATAR: Omit<GlbStyle, 'name'> = {
  scene: 'avatar',
  material: 'skin',
  space: 'avatar: 1 unit = 1 metre, y up, facing +z, +x the left of the person',
  roughness: 0.6,
  doubleSided: true,
};

/** @param name of the person, whatever it holds. */
export function avatarGlb(mesh: AvatarMesh, texture: TextureFile, name: string): Promise<Uint8Array> {
  return writeGlb(mesh, texture, { ...AVATAR, name });
}

/** @param base as in {@link writeObj}. */
export function avatarObj(mesh: AvatarMesh, base: string): ObjFiles {
  return writeObj(mesh, base, AVATAR);
}

/** @param colors [R][3] bytes, sRGB. */
export function avatarPly(mesh: AvatarMesh, colors: Uint8Array): Uint8Array {
  return writePly(mesh, colors, AVATAR.space);
}
