import { addon, type CameraValues, type MeshArrays } from '../core/addon/index.js';
import { loadSharp } from '../core/sharp.js';
import { readGlb } from '../fields/mesh/export/glb.js';
import { type Box, boxOf } from './camera.js';
import { METRES_PER_CM } from './export/mesh.js';

/** A textured mesh in head space that the native rasteriser can draw. */
export interface Surface {
  readonly mesh: MeshArrays;
  /** RGBA8, [height][width][4]. */
  readonly texture: Uint8Array;
  readonly textureWidth: number;
  readonly textureHeight: number;
  readonly box: Box;
}

export interface SurfacePicture {
  /** [height][width][4] straight alpha. */
  readonly rgba: Uint8Array;
  /** [height][width] cm along the view, +Infinity where nothing is. */
  readonly depth: Float32Array;
}

/** The mesh of an exported file, back in centimetres: what is drawn from it is what others will see. */
export async function surfaceOfGlb(bytes: Uint8Array): Promise<Surface> {
  const sharp = await loadSharp();
  const glb = await readGlb(bytes);
  const { data, info } = await sharp(glb.texture.bytes).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  const positions = glb.positions.map((metres) => metres / METRES_PER_CM);
  return {
    mesh: { ...weld(positions), uv: glb.uvs, triangles: glb.triangles },
    texture: data,
    textureWidth: info.width,
    textureHeight: info.height,
    box: boxOf(positions),
  };
}

/** Vertices at the same place become one position again, so that shading shows no crease at UV seams. */
export function weld(vertices: Float32Array): { positions: Float32Array; source: Uint32Array } {
  const bits = new Uint32Array(vertices.buffer, vertices.byteOffset, vertices.length);
  const count = vertices.length / 3;
  const source = new Uint32Array(count);
  const positions = new Float32Array(vertices.length);
  let known = 0;
  // Open addressing, at most half full; 0 is a free place, else one more than a position.
  let places = 16;
  while (places < 2 * count) places *= 2;
  const table = new Int32Array(places);
  const kept = new Uint32Array(positions.buffer);
  for (let v = 0; v < count; v++) {
    const [x, y, z] = [bits[3 * v]!, bits[3 * v + 1]!, bits[3 * v + 2]!];
    const mixed = Math.imul(x, 0x9e3779b1) ^ Math.imul(y, 0x85ebca77) ^ Math.imul(z, 0xc2b2ae3d);
    let at = (mixed ^ (mixed >>> 15)) & (places - 1);
    for (; table[at] !== 0; at = (at + 1) & (places - 1)) {
      const p = 3 * (table[at]! - 1);
      if (kept[p] === x && kept[p + 1] === y && kept[p + 2] === z) break;
    }
    if (table[at] === 0) {
      kept.set([x, y, z], 3 * known);
      table[at] = ++known;
    }
    source[v] = table[at]! - 1;
  }
  return { positions: positions.slice(0, 3 * known), source };
}

const TRANSPARENT = new Uint8Array(4);

/**
 * @param shading `texture`: as painted; `clay`: the shape alone.
 * @param supersample samples a pixel along each axis; with 1 a pixel is what its middle shows: opaque or nothing, and its very depth.
 */
export function drawSurface(
  surface: Surface,
  camera: CameraValues,
  shading: 'texture' | 'lit-texture' | 'clay',
  control: Int32Array | null = null,
  supersample: 1 | 2 = 2,
): SurfacePicture {
  const rgba = new Uint8Array(camera.width * camera.height * 4);
  const depth = new Float32Array(camera.width * camera.height);
  const painted = shading !== 'clay';
  const look = {
    shading,
    supersample,
    cullBack: false,
    background: TRANSPARENT,
    colours: null,
    texture: painted ? surface.texture : null,
    textureWidth: painted ? surface.textureWidth : 0,
    textureHeight: painted ? surface.textureHeight : 0,
  };
  addon().renderMesh(surface.mesh, camera, look, control, rgba, depth);
  return { rgba, depth };
}
