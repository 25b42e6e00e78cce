import { DafError } from '../../../core/contracts/errors.js';

/** What of glTF's JSON is read here. */
export interface GltfJson {
  readonly scenes?: readonly { readonly nodes?: readonly number[] }[];
  readonly nodes?: readonly { name?: string; readonly mesh?: number }[];
  readonly meshes?: readonly {
    readonly name?: string;
    readonly extras?: { readonly targetNames?: readonly string[] };
    readonly primitives: readonly { readonly attributes: Readonly<Record<string, number>>; readonly indices?: number }[];
  }[];
  readonly accessors?: readonly GltfAccessor[];
  readonly bufferViews?: readonly GltfView[];
  readonly buffers?: readonly { byteLength: number }[];
  readonly images?: readonly { readonly bufferView?: number; mimeType?: string }[];
}

export interface GltfAccessor {
  readonly bufferView?: number;
  readonly byteOffset?: number;
  readonly componentType: number;
  readonly type: string;
  readonly count: number;
  min?: number[];
  max?: number[];
}

export interface GltfView {
  byteOffset?: number;
  byteLength: number;
  readonly byteStride?: number;
}

const MAGIC = 0x46546c67;
const JSON_CHUNK = 0x4e4f534a;
const BINARY_CHUNK = 0x004e4942;
const HEAD = 12;
const CHUNK_HEAD = 8;
const SPACE = 0x20;

/**
 * The two chunks of a glTF 2.0 binary; `binary` is a view of `bytes`.
 * @throws DafError ERR_DAF_BAD_DATA
 */
export function splitGlb(bytes: Uint8Array): { readonly json: GltfJson; readonly binary: Uint8Array } {
  const bad = (what: string): DafError => new DafError('ERR_DAF_BAD_DATA', `not a glTF binary: ${what}`);
  if (bytes.length < HEAD + CHUNK_HEAD) throw bad('it is too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number): number => view.getUint32(at, true);
  if (word(0) !== MAGIC || word(4) !== 2 || word(16) !== JSON_CHUNK) throw bad('it begins otherwise');
  const rest = HEAD + CHUNK_HEAD + word(12);
  if (rest + CHUNK_HEAD > bytes.length || word(rest + 4) !== BINARY_CHUNK) throw bad('it has no binary chunk');
  const begin = rest + CHUNK_HEAD;
  if (begin + word(rest) > bytes.length) throw bad('its end is missing');
  try {
    const json = JSON.parse(new TextDecoder().decode(bytes.subarray(HEAD + CHUNK_HEAD, rest))) as GltfJson;
    return { json, binary: bytes.subarray(begin, begin + word(rest)) };
  } catch (cause) {
    throw new DafError('ERR_DAF_BAD_DATA', 'not a glTF binary: its JSON is broken', { cause });
  }
}

/** Both chunks as a file. `pieces` follow each other in the binary chunk, each from a multiple of four bytes on. */
export function joinGlb(json: GltfJson, pieces: readonly Uint8Array[]): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(json));
  const textLength = padded(text.length);
  const length = pieces.reduce((sum, piece) => sum + padded(piece.length), 0);
  const out = new Uint8Array(HEAD + 2 * CHUNK_HEAD + textLength + length);
  const view = new DataView(out.buffer);
  const words = [MAGIC, 2, out.length, textLength, JSON_CHUNK];
  for (const [i, word] of words.entries()) view.setUint32(4 * i, word, true);
  out.fill(SPACE, HEAD + CHUNK_HEAD, HEAD + CHUNK_HEAD + textLength);
  out.set(text, HEAD + CHUNK_HEAD);
  let at = HEAD + CHUNK_HEAD + textLength;
  view.setUint32(at, length, true);
  view.setUint32(at + 4, BINARY_CHUNK, true);
  at += CHUNK_HEAD;
  for (const piece of pieces) {
    out.set(piece, at);
    at += padded(piece.length);
  }
  return out;
}

export const padded = (length: number): number => (length + 3) & ~3;

const WIDTHS: Readonly<Record<string, number>> = { SCALAR: 1, VEC2: 2, VEC3: 3 };
const FLOAT = 5126;
const INDICES: Readonly<Record<number, { readonly bytes: number; readonly read: 'getUint8' | 'getUint16' | 'getUint32' }>> = {
  5121: { bytes: 1, read: 'getUint8' },
  5123: { bytes: 2, read: 'getUint16' },
  5125: { bytes: 4, read: 'getUint32' },
};

/** Where an accessor's first number lies in the binary chunk, and bytes from one element to the next. */
export function placeOf(json: GltfJson, accessor: GltfAccessor, bytes: number): { readonly at: number; readonly stride: number } {
  const view = json.bufferViews?.[accessor.bufferView ?? -1];
  if (view === undefined) throw new DafError('ERR_DAF_BAD_DATA', 'an accessor of the glTF file has no bytes');
  const width = WIDTHS[accessor.type] ?? 0;
  return { at: (view.byteOffset ?? 0) + (accessor.byteOffset ?? 0), stride: view.byteStride ?? width * bytes };
}

/** @throws DafError ERR_DAF_BAD_DATA where it is not of floats or reaches beyond the chunk. */
export function readFloats(json: GltfJson, binary: Uint8Array, index: number | undefined): Float32Array {
  const accessor = json.accessors?.[index ?? -1];
  if (accessor === undefined || accessor.componentType !== FLOAT)
    throw new DafError('ERR_DAF_BAD_DATA', 'a vertex attribute is missing or not float');
  const width = WIDTHS[accessor.type] ?? 0;
  const { at, stride } = placeOf(json, accessor, 4);
  checkEnd(at + stride * (accessor.count - 1) + 4 * width, binary);
  const view = new DataView(binary.buffer, binary.byteOffset, binary.byteLength);
  const out = new Float32Array(width * accessor.count);
  for (let i = 0; i < accessor.count; i++) {
    for (let k = 0; k < width; k++) out[width * i + k] = view.getFloat32(at + stride * i + 4 * k, true);
  }
  return out;
}

/** @throws DafError ERR_DAF_BAD_DATA */
export function readIndices(json: GltfJson, binary: Uint8Array, index: number | undefined, add: number): Uint32Array {
  const accessor = json.accessors?.[index ?? -1];
  const kind = INDICES[accessor?.componentType ?? 0];
  if (accessor === undefined || kind === undefined)
    throw new DafError('ERR_DAF_BAD_DATA', 'a mesh of the glTF file has no indices');
  const { at, stride } = placeOf(json, accessor, kind.bytes);
  checkEnd(at + stride * (accessor.count - 1) + kind.bytes, binary);
  const view = new DataView(binary.buffer, binary.byteOffset, binary.byteLength);
  const out = new Uint32Array(accessor.count);
  for (let i = 0; i < out.length; i++) out[i] = view[kind.read](at + stride * i, true) + add;
  return out;
}

function checkEnd(end: number, binary: Uint8Array): void {
  if (!(end <= binary.length)) throw new DafError('ERR_DAF_BAD_DATA', 'an accessor of the glTF file reaches beyond its bytes');
}
