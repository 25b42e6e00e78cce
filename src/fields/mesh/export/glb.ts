import { type Accessor, Document, Logger, type Material, type mat4, WebIO } from '@gltf-transform/core';
import { DafError } from '../../../core/contracts/errors.js';
import { readFloats, readIndices, splitGlb } from './glb-binary.js';
import { cast, fits, type GlbMould, mouldOf } from './glb-mould.js';
import type { MeshLabel, MeshPart, TexturedMesh, TextureFile } from './mesh.js';

/** Largest delta, in the mesh's unit, that is noise of the model and not worth a sparse entry. */
const STILL = 1e-6;

/** How a glTF file names and shows a mesh. */
export interface GlbStyle extends MeshLabel {
  /** Of the scene. */
  readonly scene: string;
  /** Of the node above the parts; control characters become spaces. */
  readonly name: string;
  /** 0 mirrors, 1 is chalk. */
  readonly roughness: number;
  /** Seen from behind too: for surfaces that are open somewhere. */
  readonly doubleSided: boolean;
  /** Row-major 4×4 from the mesh's frame to glTF's (y up) on that node. @defaultValue none: the mesh's frame is the file's */
  readonly toWorld?: readonly number[];
  /** Plain data about the mesh, on that node. */
  readonly extras?: Readonly<Record<string, unknown>>;
}

/** By a mesh's expressions, which everybody's head shares, and what its file is called and looks like. */
const moulds = new WeakMap<TexturedMesh['expressions'], Map<string, GlbMould>>();

/**
 * One glTF 2.0 binary: a node per part below a root, one material, the texture embedded, expressions as sparse
 * morph targets whose names stand in every mesh's `extras.targetNames`. The same mesh gives the same bytes.
 */
export async function writeGlb(mesh: TexturedMesh, texture: TextureFile, style: GlbStyle): Promise<Uint8Array> {
  // Only what many meshes share is worth keeping; without expressions a mesh is one of a kind.
  if (mesh.expressions.length === 0 || style.toWorld !== undefined || style.extras !== undefined)
    return composeGlb(mesh, texture, style);
  const known = moulds.get(mesh.expressions) ?? new Map<string, GlbMould>();
  moulds.set(mesh.expressions, known);
  const key = JSON.stringify([style.scene, style.material, style.roughness, style.doubleSided]);
  const mould = known.get(key);
  if (mould !== undefined && fits(mould, mesh)) return cast(mould, mesh, texture, printable(style.name));
  const bytes = await composeGlb(mesh, texture, style);
  const made = mouldOf(bytes, mesh);
  if (made !== null) known.set(key, made);
  return bytes;
}

async function composeGlb(mesh: TexturedMesh, texture: TextureFile, style: GlbStyle): Promise<Uint8Array> {
  // The library never prints; a jaw that moves half of the head is no reason to.
  const document = new Document().setLogger(new Logger(Logger.Verbosity.SILENT));
  const root = document.getRoot();
  root.getAsset().generator = 'daf';
  const buffer = document.createBuffer();
  const material = surfaceMaterial(document, texture, style);
  const whole = document.createNode(printable(style.name));
  if (style.toWorld !== undefined) whole.setMatrix(transposed(style.toWorld));
  if (style.extras !== undefined) whole.setExtras({ ...style.extras });
  root.setDefaultScene(document.createScene(style.scene).addChild(whole));
  const accessor = (type: 'SCALAR' | 'VEC2' | 'VEC3', array: Float32Array | Uint16Array | Uint32Array): Accessor =>
    document.createAccessor().setType(type).setArray(array).setBuffer(buffer);
  for (const part of mesh.parts) {
    if (part.triangleCount === 0) continue;
    const primitive = document
      .createPrimitive()
      .setMaterial(material)
      .setIndices(accessor('SCALAR', localTriangles(mesh, part)))
      .setAttribute('POSITION', accessor('VEC3', run(mesh.positions, part, 3)))
      .setAttribute('NORMAL', accessor('VEC3', run(mesh.normals, part, 3)))
      .setAttribute('TEXCOORD_0', accessor('VEC2', run(mesh.uvs, part, 2)));
    for (const { name: target, deltas } of mesh.expressions) {
      const moved = run(deltas, part, 3).map((delta) => (Math.abs(delta) < STILL ? 0 : delta));
      primitive.addTarget(
        document.createPrimitiveTarget(target).setAttribute('POSITION', accessor('VEC3', moved).setSparse(true)),
      );
    }
    const partMesh = document.createMesh(part.name).addPrimitive(primitive);
    if (mesh.expressions.length > 0) {
      partMesh.setWeights(mesh.expressions.map(() => 0));
      partMesh.setExtras({ targetNames: mesh.expressions.map((expression) => expression.name) });
    }
    whole.addChild(document.createNode(part.name).setMesh(partMesh));
  }
  return new WebIO().setLogger(document.getLogger() as Logger).writeBinary(document);
}

function surfaceMaterial(document: Document, texture: TextureFile, style: GlbStyle): Material {
  const image = document.createTexture(style.material).setImage(texture.bytes).setMimeType(texture.mime);
  const material = document.createMaterial(style.material).setBaseColorTexture(image);
  material.setRoughnessFactor(style.roughness).setMetallicFactor(0);
  material.getBaseColorTextureInfo()?.setWrapS(33071).setWrapT(33071);
  return material.setDoubleSided(style.doubleSided);
}

/** glTF's matrices are column-major. */
function transposed(rows: readonly number[]): mat4 {
  return Array.from({ length: 16 }, (_, i) => rows[(i % 4) * 4 + (i >> 2)]!) as unknown as mat4;
}

function run(values: Float32Array, part: MeshPart, width: number): Float32Array {
  return values.slice(part.firstVertex * width, (part.firstVertex + part.vertexCount) * width);
}

function localTriangles(mesh: TexturedMesh, part: MeshPart): Uint16Array | Uint32Array {
  const indices = mesh.triangles.slice(3 * part.firstTriangle, 3 * (part.firstTriangle + part.triangleCount));
  for (let i = 0; i < indices.length; i++) {
    const local = indices[i]! - part.firstVertex;
    if (local < 0 || local >= part.vertexCount) {
      throw new DafError('ERR_DAF_INTERNAL', `a triangle of "${part.name}" uses a vertex of another part`);
    }
    indices[i] = local;
  }
  // 65535 is glTF's primitive restart value and must not occur.
  return part.vertexCount <= 65535 ? Uint16Array.from(indices) : indices;
}

/** Names come from folder and file names, which may hold anything. */
function printable(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  return Buffer.from(name.replace(/[\u0000-\u001f\u007f]/g, ' ')).toString();
}

/** What {@link readGlb} finds: the parts' vertices end to end in node order, and the embedded image. */
export type ReadMesh = Omit<TexturedMesh, 'expressions'> & {
  readonly expressionNames: readonly string[];
  readonly texture: TextureFile;
};

/**
 * Reads a mesh back from the bytes of its file.
 * @throws DafError ERR_DAF_BAD_DATA for a file that is not ours.
 */
export async function readGlb(bytes: Uint8Array): Promise<ReadMesh> {
  const { json, binary } = splitGlb(bytes);
  const view = json.bufferViews?.[json.images?.[0]?.bufferView ?? -1];
  if (view === undefined) throw new DafError('ERR_DAF_BAD_DATA', 'the glTF file embeds no texture');
  const begin = view.byteOffset ?? 0;
  const image = binary.slice(begin, begin + view.byteLength);
  const parts: MeshPart[] = [];
  const pieces = { positions: [] as Float32Array[], normals: [] as Float32Array[], uvs: [] as Float32Array[] };
  const triangles: Uint32Array[] = [];
  let firstVertex = 0;
  let firstTriangle = 0;
  let expressionNames: readonly string[] = [];
  for (const node of json.nodes ?? []) {
    const mesh = json.meshes?.[node.mesh ?? -1];
    const primitive = mesh?.primitives[0];
    if (!mesh || !primitive) continue;
    const positions = readFloats(json, binary, primitive.attributes['POSITION']);
    pieces.positions.push(positions);
    pieces.normals.push(readFloats(json, binary, primitive.attributes['NORMAL']));
    pieces.uvs.push(readFloats(json, binary, primitive.attributes['TEXCOORD_0']));
    const indices = readIndices(json, binary, primitive.indices, firstVertex);
    triangles.push(indices);
    parts.push({
      name: node.name ?? '',
      firstVertex,
      vertexCount: positions.length / 3,
      firstTriangle,
      triangleCount: indices.length / 3,
    });
    firstVertex += positions.length / 3;
    firstTriangle += indices.length / 3;
    expressionNames = mesh.extras?.targetNames ?? [];
  }
  const all = new Uint32Array(3 * firstTriangle);
  for (const [i, piece] of triangles.entries()) all.set(piece, 3 * parts[i]!.firstTriangle);
  return {
    positions: joinFloats(pieces.positions),
    normals: joinFloats(pieces.normals),
    uvs: joinFloats(pieces.uvs),
    triangles: all,
    parts,
    expressionNames,
    texture: { bytes: image, mime: json.images?.[0]?.mimeType === 'image/jpeg' ? 'image/jpeg' : 'image/png' },
  };
}

function joinFloats(pieces: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
