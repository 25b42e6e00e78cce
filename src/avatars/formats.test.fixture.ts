import sharp from 'sharp';
import { addon, type CameraValues } from '../core/addon/index.js';
import { readObj } from '../fields/mesh/export/obj.js';
import { readPly } from '../fields/mesh/export/ply.js';
import { boxOf } from './camera.js';
import { type Surface, weld } from './surface.js';

/** The OBJ with the PNG that its material names, as a surface in centimetres. */
export async function surfaceOfObj(obj: string, png: Uint8Array): Promise<Surface> {
  const { positions: metres, uvs, triangles } = readObj(obj);
  const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  const positions = metres.map((value) => value * 100);
  return {
    mesh: { ...weld(positions), uv: uvs, triangles },
    texture: data,
    textureWidth: info.width,
    textureHeight: info.height,
    box: boxOf(positions),
  };
}

/** The PLY by its vertex colours alone: [height][width][4]. */
export function drawPly(bytes: Uint8Array, camera: CameraValues): Uint8Array {
  const { positions: metres, triangles, colors } = readPly(bytes);
  const rgba = new Uint8Array(camera.width * camera.height * 4);
  const colours = new Uint8Array((colors.length / 3) * 4).fill(255);
  for (let v = 0; v < colors.length / 3; v++) colours.set(colors.subarray(3 * v, 3 * v + 3), 4 * v);
  const look = {
    shading: 'colour' as const,
    supersample: 2,
    cullBack: false,
    background: new Uint8Array(4),
    colours,
    texture: null,
    textureWidth: 0,
    textureHeight: 0,
  };
  const mesh = { positions: metres.map((value) => value * 100), triangles, source: null, uv: null };
  addon().renderMesh(mesh, camera, look, null, rgba, null);
  return rgba;
}
