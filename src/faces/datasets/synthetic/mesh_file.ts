const FACE_BYTES = 1 + 3 * 4;

/** Head space in words, for files that others read. */
export const SPACE = 'centimetres; +x the left of the person, +y up, +z out of the face';

/** Binary PLY of a head without texture: vertex i is position i of the head model, whose modes move it. */
export function headPly(positions: Float32Array, triangles: Uint32Array): Uint8Array {
  const header = Buffer.from(
    [
      'ply',
      'format binary_little_endian 1.0',
      `comment daf: ${SPACE}`,
      `element vertex ${positions.length / 3}`,
      'property float x',
      'property float y',
      'property float z',
      `element face ${triangles.length / 3}`,
      'property list uchar int vertex_indices',
      'end_header\n',
    ].join('\n'),
  );
  const out = new Uint8Array(header.length + 4 * positions.length + (FACE_BYTES * triangles.length) / 3);
  out.set(header);
  const view = new DataView(out.buffer);
  let at = header.length;
  for (const value of positions) {
    view.setFloat32(at, value, true);
    at += 4;
  }
  for (let i = 0; i < triangles.length; i += 3) {
    out[at] = 3;
    for (let k = 0; k < 3; k++) view.setInt32(at + 1 + 4 * k, triangles[i + k]!, true);
    at += FACE_BYTES;
  }
  return out;
}
