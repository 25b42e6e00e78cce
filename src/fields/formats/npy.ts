import { endianness } from 'node:os';
import { badData } from './bad-data.js';

/** The array types that a numpy file may hold here. Half floats are widened to Float32Array, booleans are 0 and 1. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** One numpy array. */
export interface NpyArray {
  /** Empty for a scalar. */
  readonly shape: readonly number[];
  /** numpy's name of the stored type without its byte order: f2 f4 f8 i1 … u8 b1. */
  readonly dtype: string;
  /** The elements in C order (last axis fastest), whatever the file's order was. */
  readonly data: NumberArray;
}

const MAX_HEADER = 1 << 20;
const MAX_AXES = 32;

interface ElementType {
  readonly bytes: number;
  make(buffer: ArrayBuffer): NumberArray;
}

const TYPES: Readonly<Record<string, ElementType>> = {
  f2: { bytes: 2, make: (b) => Float32Array.from(new Uint16Array(b), halfToFloat) },
  f4: { bytes: 4, make: (b) => new Float32Array(b) },
  f8: { bytes: 8, make: (b) => new Float64Array(b) },
  i1: { bytes: 1, make: (b) => new Int8Array(b) },
  i2: { bytes: 2, make: (b) => new Int16Array(b) },
  i4: { bytes: 4, make: (b) => new Int32Array(b) },
  i8: { bytes: 8, make: (b) => new BigInt64Array(b) },
  u1: { bytes: 1, make: (b) => new Uint8Array(b) },
  u2: { bytes: 2, make: (b) => new Uint16Array(b) },
  u4: { bytes: 4, make: (b) => new Uint32Array(b) },
  u8: { bytes: 8, make: (b) => new BigUint64Array(b) },
  b1: { bytes: 1, make: (b) => new Uint8Array(b) },
};

/**
 * The array of a `.npy` file, versions 1 to 3 of the format, either byte order, C or Fortran order.
 * @param what names the array in errors.
 * @throws DafError ERR_DAF_BAD_DATA: not a numpy file, truncated, or of a type that is not plain numbers.
 */
export function parseNpy(bytes: Uint8Array, what: string): NpyArray {
  const { text, begin } = header(bytes, what);
  const descr = /'descr'\s*:\s*'([<>=|]?)([a-zA-Z]\d+)'/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const axes = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text)?.[1];
  if (order === undefined || axes === undefined) throw badData(`${what}: its header does not describe an array`);
  const type = descr === null ? undefined : TYPES[descr[2]!];
  if (descr === null || type === undefined) {
    const found = /'descr'\s*:\s*([^,}]{0,60})/.exec(text)?.[1] ?? 'nothing';
    throw badData(`${what}: elements of type ${found}`, `plain numbers are read: ${Object.keys(TYPES).join(' ')}`);
  }
  const shape = axes
    .split(',')
    .filter((axis) => axis.trim() !== '')
    .map((axis) => Number.parseInt(axis, 10));
  if (shape.length > MAX_AXES) throw badData(`${what}: an array of ${shape.length} axes`);
  const count = shape.reduce((product, axis) => product * axis, 1);
  const body = bytes.subarray(begin);
  if (!Number.isSafeInteger(count * type.bytes) || count * type.bytes !== body.length) {
    throw badData(
      `${what}: shape (${shape.join(', ')}) of ${descr[2]} does not take the ${body.length} bytes that follow its header`,
    );
  }
  const own = new Uint8Array(body); // a copy that starts at an aligned address
  if (type.bytes > 1 && bigEndian(descr[1]!) !== (endianness() === 'BE')) swapBytes(own, type.bytes);
  const data = type.make(own.buffer);
  return { shape, dtype: descr[2]!, data: order === 'True' && shape.length > 1 ? toCOrder(data, shape) : data };
}

/** @throws DafError ERR_DAF_BAD_DATA when a value does not fit into a float. */
export function toFloats(array: NpyArray, what: string): Float32Array {
  if (array.data instanceof Float32Array) return array.data;
  const out = new Float32Array(array.data.length);
  for (let i = 0; i < out.length; i++) {
    out[i] = Number(array.data[i]);
    if (!Number.isFinite(out[i]) && Number.isFinite(Number(array.data[i])))
      throw badData(`${what}: ${array.data[i]} does not fit into a float`);
  }
  return out;
}

/** Magic, version, header length, then a Python dictionary as text. */
function header(bytes: Uint8Array, what: string): { text: string; begin: number } {
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
  if (bytes.length < 10 || !magic.every((byte, i) => bytes[i] === byte)) throw badData(`${what}: not a numpy array`);
  const version = bytes[6]!;
  if (version < 1 || version > 3) throw badData(`${what}: version ${version} of the numpy format is unknown`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : bytes.length < 12 ? Number.POSITIVE_INFINITY : view.getUint32(8, true);
  if (length > MAX_HEADER || start + length > bytes.length) throw badData(`${what}: its header is cut off`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString(version === 3 ? 'utf8' : 'latin1');
  return { text, begin: start + length };
}

function bigEndian(mark: string): boolean {
  return mark === '>' || (mark === '=' && endianness() === 'BE');
}

function swapBytes(bytes: Uint8Array, size: number): void {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

/** From first axis fastest to last axis fastest. */
function toCOrder(data: NumberArray, shape: readonly number[]): NumberArray {
  const out = data.slice();
  const index = new Array<number>(shape.length).fill(0);
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, length) => product * length, 1));
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
