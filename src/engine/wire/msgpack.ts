import { Packr } from 'msgpackr';
import { DafError } from '../../core/contracts/errors.js';

/** Plain msgpack: no records, no classes, no extensions, so that any implementation can read it. */
const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  encodeUndefinedAsNil: true,
  int64AsType: 'number',
  variableMapSize: true,
});

const MAX_DEPTH = 32;

export function pack(value: unknown): Buffer {
  return packr.pack(value);
}

/** What stands before `count` values that are a list. */
export function listHead(count: number): Uint8Array {
  return count < 16 ? Uint8Array.of(0x90 | count) : Uint8Array.of(0xdc, count >>> 8, count & 255);
}

/**
 * One msgpack value that fills `bytes` exactly. The structure is walked before anything is built: a length that promises more than
 * there is, deep nesting or an extension type is refused without allocating for it.
 * @throws DafError ERR_DAF_PROTOCOL
 */
export function unpack(bytes: Uint8Array): unknown {
  const end = skip(bytes, 0, 0);
  if (end !== bytes.length) throw malformed(`${bytes.length - end} bytes after the value`);
  try {
    return packr.unpack(bytes);
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error));
  }
}

/** Position after the value at `at`. */
function skip(bytes: Uint8Array, at: number, depth: number): number {
  if (depth > MAX_DEPTH) throw malformed('nested too deeply');
  if (at >= bytes.length) throw malformed('truncated');
  const type = bytes[at]!;
  const next = at + 1;
  if (type <= 0x7f || type >= 0xe0) return next;
  if (type <= 0x8f) return skipMany(bytes, next, (type & 15) * 2, depth, true);
  if (type <= 0x9f) return skipMany(bytes, next, type & 15, depth, false);
  if (type <= 0xbf) return within(bytes, next + (type & 31));
  switch (type) {
    case 0xc0:
    case 0xc2:
    case 0xc3:
      return next;
    case 0xc4:
    case 0xd9:
      return within(bytes, next + 1 + unsigned(bytes, next, 1));
    case 0xc5:
    case 0xda:
      return within(bytes, next + 2 + unsigned(bytes, next, 2));
    case 0xc6:
    case 0xdb:
      return within(bytes, next + 4 + unsigned(bytes, next, 4));
    case 0xcc:
    case 0xd0:
      return within(bytes, next + 1);
    case 0xcd:
    case 0xd1:
      return within(bytes, next + 2);
    case 0xca:
    case 0xce:
    case 0xd2:
      return within(bytes, next + 4);
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return within(bytes, next + 8);
    case 0xdc:
      return skipMany(bytes, next + 2, unsigned(bytes, next, 2), depth, false);
    case 0xdd:
      return skipMany(bytes, next + 4, unsigned(bytes, next, 4), depth, false);
    case 0xde:
      return skipMany(bytes, next + 2, unsigned(bytes, next, 2) * 2, depth, true);
    case 0xdf:
      return skipMany(bytes, next + 4, unsigned(bytes, next, 4) * 2, depth, true);
    default:
      throw malformed(`type 0x${type.toString(16)} is not used here`);
  }
}

function skipMany(bytes: Uint8Array, at: number, count: number, depth: number, map: boolean): number {
  if (count > bytes.length - at) throw malformed('truncated');
  let position = at;
  for (let i = 0; i < count; i++) {
    if (map && i % 2 === 0 && !isText(bytes[position])) throw malformed('a map key is not a string');
    position = skip(bytes, position, depth + 1);
  }
  return position;
}

function isText(type: number | undefined): boolean {
  return type !== undefined && ((type >= 0xa0 && type <= 0xbf) || (type >= 0xd9 && type <= 0xdb));
}

function within(bytes: Uint8Array, position: number): number {
  if (position > bytes.length) throw malformed('truncated');
  return position;
}

function unsigned(bytes: Uint8Array, at: number, width: 1 | 2 | 4): number {
  if (at + width > bytes.length) throw malformed('truncated');
  let value = 0;
  for (let i = 0; i < width; i++) value = value * 256 + bytes[at + i]!;
  return value;
}

function malformed(why: string): DafError {
  return new DafError('ERR_DAF_PROTOCOL', `malformed msgpack: ${why}`);
}
