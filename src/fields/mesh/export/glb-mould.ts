import { DafError } from '../../../core/contracts/errors.js';
import { type GltfAccessor, type GltfJson, joinGlb, padded, placeOf, splitGlb } from './glb-binary.js';
import type { MeshPart, TexturedMesh, TextureFile } from './mesh.js';

/** Of meshes that share all but vertices, normals and texture: the file of the first, into which the others' are put. */
export interface GlbMould {
  readonly uvs: Float32Array;
  readonly triangles: Uint32Array;
  readonly parts: readonly MeshPart[];
  /** Changed in place at every cast. */
  readonly json: GltfJson;
  /** The binary chunk by buffer views; the image's is replaced. */
  readonly pieces: readonly Uint8Array[];
  /** Buffer views as they lie in the chunk, end to end: the library names the image first and puts it last. */
  readonly order: readonly number[];
  readonly image: number;
}

/** @returns null where the file is laid out otherwise than this knows. */
export function mouldOf(bytes: Uint8Array, mesh: TexturedMesh): GlbMould | null {
  const { json, binary } = splitGlb(bytes);
  const views = json.bufferViews ?? [];
  const image = json.images?.[0]?.bufferView;
  if (image === undefined || json.images!.length !== 1) return null;
  const order = [...views.keys()].sort((a, b) => (views[a]!.byteOffset ?? 0) - (views[b]!.byteOffset ?? 0));
  const pieces = views.map(() => new Uint8Array(0));
  let at = 0;
  for (const i of order) {
    const { byteOffset = 0, byteLength } = views[i]!;
    if (byteOffset !== at) return null;
    pieces[i] = binary.slice(at, at + byteLength);
    at += padded(byteLength);
  }
  return { uvs: mesh.uvs, triangles: mesh.triangles, parts: mesh.parts, json, pieces, order, image };
}

/** Whether a mesh has the mould's topology; its expressions are for the caller to compare. */
export function fits({ uvs, triangles, parts }: GlbMould, mesh: TexturedMesh): boolean {
  return mesh.uvs === uvs && mesh.triangles === triangles && mesh.parts === parts;
}

/** The very bytes that the library would write, without its object for every one of hundreds of accessors. */
export function cast(mould: GlbMould, mesh: TexturedMesh, texture: TextureFile, name: string): Uint8Array {
  const { json, image, order } = mould;
  const nodes = json.nodes!;
  nodes[json.scenes![0]!.nodes![0]!]!.name = name;
  const pieces = [...mould.pieces];
  pieces[image] = texture.bytes;
  json.images![0]!.mimeType = texture.mime;
  let at = 0;
  for (const i of order) {
    const view = json.bufferViews![i]!;
    view.byteOffset = at;
    view.byteLength = pieces[i]!.length;
    at += padded(view.byteLength);
  }
  json.buffers![0]!.byteLength = at;
  const shown = mesh.parts.filter((part) => part.triangleCount > 0);
  for (const [i, part] of shown.entries()) {
    const attributes = json.meshes![i]!.primitives[0]!.attributes;
    put(mould, attributes['POSITION']!, mesh.positions, part);
    put(mould, attributes['NORMAL']!, mesh.normals, part);
  }
  return joinGlb(
    json,
    order.map((i) => pieces[i]!),
  );
}

/** Three floats a vertex, interleaved with the part's other attributes. */
function put({ json, pieces }: GlbMould, index: number, values: Float32Array, part: MeshPart): void {
  const accessor = json.accessors![index] as GltfAccessor;
  const piece = pieces[accessor.bufferView!]!;
  const { at, stride } = placeOf(json, accessor, 4);
  const begin = at - (json.bufferViews![accessor.bufferView!]!.byteOffset ?? 0);
  if (accessor.count !== part.vertexCount)
    throw new DafError('ERR_DAF_INTERNAL', `"${part.name}" has another number of vertices`);
  const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
  const min = [Infinity, Infinity, Infinity];
  const max = [-Infinity, -Infinity, -Infinity];
  for (let v = 0; v < part.vertexCount; v++) {
    for (let k = 0; k < 3; k++) {
      const value = values[3 * (part.firstVertex + v) + k]!;
      view.setFloat32(begin + stride * v + 4 * k, value, true);
      if (value < min[k]!) min[k] = value;
      if (value > max[k]!) max[k] = value;
    }
  }
  if (accessor.min !== undefined) accessor.min = min;
  if (accessor.max !== undefined) accessor.max = max;
}
