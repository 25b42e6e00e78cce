import { DafError } from '../../../core/contracts/errors.js';
import type { MeshLabel, TexturedMesh } from './mesh.js';

const VERTEX_BYTES = 4 * 8 + 3;
const FACE_BYTES = 1 + 3 * 4;
const PROPERTIES = ['x', 'y', 'z', 'nx', 'ny', 'nz', 's', 't'];

/**
 * Binary little-endian PLY: position, normal, UV and colour a vertex.
 * @param colors [R][3] bytes, sRGB. @param space as in {@link MeshLabel}.
 */
export function writePly(mesh: TexturedMesh, colors: Uint8Array, space: MeshLabel['space']): Uint8Array {
  const vertices = mesh.positions.length / 3;
  const faces = mesh.triangles.length / 3;
  const header = new TextEncoder().encode(
    [
      'ply',
      'format binary_little_endian 1.0',
      `comment daf: ${space}`,
      `element vertex ${vertices}`,
      ...PROPERTIES.map((name) => `property float ${name}`),
      'property uchar red',
      'property uchar green',
      'property uchar blue',
      `element face ${faces}`,
      'property list uchar int vertex_indices',
      'end_header\n',
    ].join('\n'),
  );
  const out = new Uint8Array(header.length + vertices * VERTEX_BYTES + faces * FACE_BYTES);
  out.set(header);
  const view = new DataView(out.buffer);
  let at = header.length;
  for (let v = 0; v < vertices; v++) {
    for (let k = 0; k < 3; k++) view.setFloat32(at + 4 * k, mesh.positions[3 * v + k]!, true);
    for (let k = 0; k < 3; k++) view.setFloat32(at + 12 + 4 * k, mesh.normals[3 * v + k]!, true);
    for (let k = 0; k < 2; k++) view.setFloat32(at + 24 + 4 * k, mesh.uvs[2 * v + k]!, true);
    out.set(colors.subarray(3 * v, 3 * v + 3), at + 32);
    at += VERTEX_BYTES;
  }
  for (let t = 0; t < faces; t++) {
    out[at] = 3;
    for (let k = 0; k < 3; k++) view.setInt32(at + 1 + 4 * k, mesh.triangles[3 * t + k]!, true);
    at += FACE_BYTES;
  }
  return out;
}

/** Reads a file of {@link writePly}. @throws DafError ERR_DAF_BAD_DATA for any other. */
export function readPly(
  bytes: Uint8Array,
): Pick<TexturedMesh, 'positions' | 'normals' | 'uvs' | 'triangles'> & { readonly colors: Uint8Array } {
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, 1024));
  const end = text.indexOf('end_header\n');
  const vertices = Number(/element vertex (\d+)/.exec(text)?.[1]);
  const faces = Number(/element face (\d+)/.exec(text)?.[1]);
  const start = end + 'end_header\n'.length;
  if (end < 0 || bytes.length !== start + vertices * VERTEX_BYTES + faces * FACE_BYTES) {
    throw new DafError('ERR_DAF_BAD_DATA', 'the PLY was not written by daf or is truncated');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const positions = new Float32Array(3 * vertices);
  const normals = new Float32Array(3 * vertices);
  const uvs = new Float32Array(2 * vertices);
  const colors = new Uint8Array(3 * vertices);
  const triangles = new Uint32Array(3 * faces);
  let at = start;
  for (let v = 0; v < vertices; v++, at += VERTEX_BYTES) {
    for (let k = 0; k < 3; k++) positions[3 * v + k] = view.getFloat32(at + 4 * k, true);
    for (let k = 0; k < 3; k++) normals[3 * v + k] = view.getFloat32(at + 12 + 4 * k, true);
    for (let k = 0; k < 2; k++) uvs[2 * v + k] = view.getFloat32(at + 24 + 4 * k, true);
    colors.set(bytes.subarray(at + 32, at + 35), 3 * v);
  }
  for (let t = 0; t < faces; t++, at += FACE_BYTES) {
    for (let k = 0; k < 3; k++) triangles[3 * t + k] = view.getInt32(at + 1 + 4 * k, true);
  }
  return { positions, normals, uvs, colors, triangles };
}
