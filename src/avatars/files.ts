import { loadSharp } from '../core/sharp.js';
import { vertexColors } from '../fields/mesh/export/mesh.js';
import { avatarGlb, avatarObj, avatarPly } from './export/files.js';
import type { AvatarMesh } from './export/mesh.js';
import type { PersonTexture } from './fit_person.js';

/** GLB holds a JPEG, because 30,000 people are 30,000 textures; the OBJ beside it has the same texture without loss. */
const JPEG = { quality: 92, chromaSubsampling: '4:4:4' } as const;

export interface MeshFiles {
  readonly 'avatar.glb': Uint8Array;
  readonly 'avatar.obj': string;
  readonly 'avatar.mtl': string;
  readonly 'avatar.png': Uint8Array;
  readonly 'avatar.ply': Uint8Array;
}

/** The mesh in every format, the same vertices in all. */
export async function meshFiles(mesh: AvatarMesh, texture: PersonTexture, identity: string): Promise<MeshFiles> {
  const sharp = await loadSharp();
  const { rgb, size } = texture;
  const raw = { width: size, height: size, channels: 3 } as const;
  const jpeg = new Uint8Array(await sharp(rgb, { raw }).jpeg(JPEG).toBuffer());
  const png = new Uint8Array(await sharp(rgb, { raw }).png({ compressionLevel: 7 }).toBuffer());
  const { obj, mtl } = avatarObj(mesh, 'avatar');
  return {
    'avatar.glb': await avatarGlb(mesh, { bytes: jpeg, mime: 'image/jpeg' }, identity),
    'avatar.obj': obj,
    'avatar.mtl': mtl,
    'avatar.png': png,
    'avatar.ply': avatarPly(mesh, vertexColors(mesh.uvs, rgb, size, size)),
  };
}

/** Straight-alpha RGBA as a PNG. */
export async function rgbaPng(rgba: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  const sharp = await loadSharp();
  const raw = { width, height, channels: 4 } as const;
  return new Uint8Array(await sharp(rgba, { raw }).png({ compressionLevel: 7 }).toBuffer());
}
