import { DafError } from '../../core/contracts/errors.js';

/** A tensor as an ONNX graph declares it; a dimension that is free or named is null. */
export interface TensorShape {
  readonly name: string;
  readonly dims: readonly (number | null)[];
  readonly float32: boolean;
}

/** Inputs (weights left out) and outputs of a model. */
export interface OnnxHeader {
  readonly inputs: readonly TensorShape[];
  readonly outputs: readonly TensorShape[];
}

/**
 * Reads what a model takes and gives straight from its protobuf, so that models can be checked where onnxruntime is not
 * installed or not worth its memory.
 * @throws DafError ERR_DAF_BAD_MODEL when the bytes are no ONNX model.
 */
export function readOnnxHeader(bytes: Uint8Array): OnnxHeader {
  try {
    const graph = fields(bytes).find((field) => field.number === 7 && field.bytes !== null)?.bytes;
    if (graph === undefined || graph === null) throw new RangeError('it has no graph');
    const inputs: TensorShape[] = [];
    const outputs: TensorShape[] = [];
    const weights = new Set<string>();
    for (const { number, bytes: part } of fields(graph)) {
      if (part === null) continue;
      if (number === 5) weights.add(text(fields(part).find((field) => field.number === 8)?.bytes));
      else if (number === 11) inputs.push(tensor(part));
      else if (number === 12) outputs.push(tensor(part));
    }
    return { inputs: inputs.filter((input) => !weights.has(input.name)), outputs };
  } catch (cause) {
    throw new DafError('ERR_DAF_BAD_MODEL', `not an ONNX model: ${(cause as Error).message}`, { cause });
  }
}

interface Field {
  readonly number: number;
  readonly value: number;
  readonly bytes: Uint8Array | null;
}

/** The fields of one protobuf message, without looking inside them. */
function fields(message: Uint8Array): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) throw new RangeError('it ends within a number');
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw new RangeError('a number has too many digits');
  };
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const type = tag % 8;
    if (type === 0) found.push({ number, value: varint(), bytes: null });
    else if (type === 1 || type === 5) at += type === 1 ? 8 : 4;
    else if (type === 2) {
      const length = varint();
      if (at + length > message.length) throw new RangeError('it is shorter than it says');
      found.push({ number, value: 0, bytes: message.subarray(at, at + length) });
      at += length;
    } else throw new RangeError(`field type ${type} is unknown`);
  }
  if (at !== message.length) throw new RangeError('it ends within a field');
  return found;
}

/** ValueInfoProto { name = 1; type = 2 { tensor_type = 1 { elem_type = 1; shape = 2 { dim = 1 { dim_value = 1 } } } } } */
function tensor(info: Uint8Array): TensorShape {
  const parts = fields(info);
  const type = child(fields(child(parts, 2)), 1);
  const typeParts = fields(type);
  const dims = fields(child(typeParts, 2))
    .filter((field) => field.number === 1 && field.bytes !== null)
    .map((dim) => fields(dim.bytes!).find((field) => field.number === 1 && field.bytes === null)?.value ?? null);
  return {
    name: text(parts.find((field) => field.number === 1)?.bytes),
    // dim_value 0 is how some exporters write "free".
    dims: dims.map((dim) => (dim === 0 ? null : dim)),
    float32: typeParts.some((field) => field.number === 1 && field.value === 1),
  };
}

function child(parts: readonly Field[], number: number): Uint8Array {
  return parts.find((field) => field.number === number)?.bytes ?? new Uint8Array(0);
}

function text(bytes: Uint8Array | null | undefined): string {
  return new TextDecoder().decode(bytes ?? new Uint8Array(0));
}
