import { badData } from './bad-data.js';
import type { SparsePoints } from './points.js';

interface Property {
  readonly name: string;
  readonly type: string;
  /** Type of the count before a list. */
  readonly list: string | null;
}
interface Element {
  readonly name: string;
  readonly count: number;
  readonly properties: Property[];
}
type Next = (type: string) => number;

const BYTES: Readonly<Record<string, number>> = {
  ...{ char: 1, uchar: 1, short: 2, ushort: 2, int: 4, uint: 4, float: 4, double: 8 },
  ...{ int8: 1, uint8: 1, int16: 2, uint16: 2, int32: 4, uint32: 4, float32: 4, float64: 8 },
};
const MAX_HEADER = 1 << 16;

/**
 * The vertices of a PLY file (ASCII, binary little or big endian), with their colours where red, green and blue stand beside them.
 * Other elements and properties are passed over.
 * @throws DafError ERR_DAF_BAD_DATA: not a PLY file, without x, y and z, cut off, or a position that is not finite.
 */
export function parsePly(bytes: Uint8Array, what: string): SparsePoints {
  const { format, elements, begin } = header(bytes, what);
  const next =
    format === 'ascii'
      ? asciiNumbers(bytes.subarray(begin), what)
      : binaryNumbers(bytes.subarray(begin), format === 'binary_little_endian', what);
  for (const element of elements) {
    if (element.name === 'vertex') return vertices(element, next, bytes.length - begin, what);
    if (element.properties.length === 0) continue; // takes no bytes, whatever its count says
    for (let i = 0; i < element.count; i++) for (const property of element.properties) readProperty(property, next);
  }
  throw badData(`${what}: holds no vertices`);
}

function vertices(element: Element, next: Next, bytesLeft: number, what: string): SparsePoints {
  const names = element.properties.map((property) => property.name);
  const at = (name: string): number => names.indexOf(name);
  const [x, y, z, red, green, blue] = [at('x'), at('y'), at('z'), at('red'), at('green'), at('blue')];
  if (x < 0 || y < 0 || z < 0) throw badData(`${what}: its vertices have no x, y and z`, `they have ${names.join(', ')}`);
  // Every number takes a byte at least: a count that the file cannot hold asks for no memory.
  if (element.count * names.length > bytesLeft) throw badData(`${what}: cut off (${element.count} vertices announced)`);
  const colored = red >= 0 && green >= 0 && blue >= 0;
  const scale = colored && /^(float|double)/.test(element.properties[red]!.type) ? 255 : 1;
  const positions = new Float32Array(element.count * 3);
  const colors = colored ? new Uint8ClampedArray(element.count * 3) : null;
  const row = new Float64Array(names.length);
  for (let i = 0; i < element.count; i++) {
    element.properties.forEach((property, column) => {
      row[column] = readProperty(property, next);
    });
    positions.set([row[x]!, row[y]!, row[z]!], i * 3);
    if (!Number.isFinite(positions[i * 3]! + positions[i * 3 + 1]! + positions[i * 3 + 2]!))
      throw badData(`${what}: vertex ${i} is not finite`);
    colors?.set([row[red]! * scale, row[green]! * scale, row[blue]! * scale], i * 3);
  }
  return { positions, colors: colors === null ? null : new Uint8Array(colors.buffer) };
}

/** A list is passed over. */
function readProperty(property: Property, next: Next): number {
  if (property.list === null) return next(property.type);
  const count = next(property.list);
  for (let i = 0; i < count; i++) next(property.type);
  return 0;
}

function header(bytes: Uint8Array, what: string): { format: string; elements: Element[]; begin: number } {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MAX_HEADER)).toString('latin1');
  const end = /(?:^|\n)end_header\r?\n/.exec(text);
  if (!/^ply\r?\n/.test(text) || end === null) throw badData(`${what}: not a PLY file`);
  const elements: Element[] = [];
  let format = '';
  for (const line of text.slice(0, end.index).split('\n').slice(1)) {
    const [word, ...rest] = line.trim().split(/\s+/);
    if (word === 'format') format = rest[0] ?? '';
    if (word === 'element') {
      const count = Number(rest[1]);
      if (!Number.isSafeInteger(count) || count < 0) throw badData(`${what}: its header counts "${rest[1]}" of ${rest[0]}`);
      elements.push({ name: rest[0]!, count, properties: [] });
    }
    if (word === 'property') elements.at(-1)?.properties.push(property(rest, what));
  }
  if (!['ascii', 'binary_little_endian', 'binary_big_endian'].includes(format))
    throw badData(`${what}: format "${format}" is unknown`);
  return { format, elements, begin: end.index + end[0].length };
}

function property(words: string[], what: string): Property {
  const [list, type, name] = words[0] === 'list' ? [words[1]!, words[2], words[3]] : [null, words[0], words[1]];
  if (type === undefined || name === undefined || !(type in BYTES) || (list !== null && !(list in BYTES))) {
    throw badData(`${what}: its header has a property "${words.join(' ')}"`);
  }
  return { name, type, list };
}

function asciiNumbers(bytes: Uint8Array, what: string): Next {
  const words = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1').matchAll(/\S+/g);
  return () => {
    const word = words.next();
    const value = word.done === true ? Number.NaN : Number(word.value[0]);
    if (word.done === true) throw badData(`${what}: cut off`);
    if (Number.isNaN(value)) throw badData(`${what}: "${word.value[0].slice(0, 40)}" is not a number`);
    return value;
  };
}

function binaryNumbers(bytes: Uint8Array, little: boolean, what: string): Next {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  return (type) => {
    at += BYTES[type]!;
    if (at > bytes.length) throw badData(`${what}: cut off`);
    return number(view, at - BYTES[type]!, type, little);
  };
}

function number(view: DataView, at: number, type: string, little: boolean): number {
  switch (type) {
    case 'char':
    case 'int8':
      return view.getInt8(at);
    case 'uchar':
    case 'uint8':
      return view.getUint8(at);
    case 'short':
    case 'int16':
      return view.getInt16(at, little);
    case 'ushort':
    case 'uint16':
      return view.getUint16(at, little);
    case 'int':
    case 'int32':
      return view.getInt32(at, little);
    case 'uint':
    case 'uint32':
      return view.getUint32(at, little);
    case 'float':
    case 'float32':
      return view.getFloat32(at, little);
    default:
      return view.getFloat64(at, little);
  }
}
