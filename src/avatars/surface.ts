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
  const seen = new Map<string, number>();
  const source = new Uint32Array(vertices.length / 3);
  const positions: number[] = [];
  for (let v = 0; v < source.length; v++) {
    const key = `${bits[3 * v]},${bits[3 * v + 1]},${bits[3 * v + 2]}`;
    let position = seen.get(key);
    if (position === undefined) {
      position = positions.length / 3;
      seen.set(key, position);
      positions.push(vertices[3 * v]!, vertices[3 * v + 1]!, vertices[3 * v + 2]!);
    }
    source[v] = position;
  }
  return { positions: Float32Array.from(positions), source };
}

const TRANSPARENT = new Uint8Array(4);

/** @param shading `texture`: as painted; `clay`: the shape alone. */
export function drawSurface(
  surface: Surface,
  camera: CameraValues,
  shading: 'texture' | 'lit-texture' | 'clay',
  control: Int32Array | null = null,
): SurfacePicture {
  const rgba = new Uint8Array(camera.width * camera.height * 4);
  const depth = new Float32Array(camera.width * camera.height);
  const painted = shading !== 'clay';
  const look = {
    shading,
    supersample: 2,
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
