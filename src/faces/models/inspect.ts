import { readFile, stat } from 'node:fs/promises';
import { DafError } from '../../core/contracts/errors.js';
import { type AdapterName, describeHeader, EXPECTED, identifyModel } from './identify.js';
import { type OnnxHeader, readOnnxHeader } from './onnx-header.js';

/** Larger files are not the small models that run here. */
export const MAX_MODEL_BYTES = 256 << 20;

/** What an .onnx file is. */
export interface InspectedModel {
  readonly adapter: AdapterName;
  /** The input's size is free. */
  readonly freeSize: boolean;
  /** Width of the input, 0 where free. */
  readonly side: number;
  /** Inputs and outputs, for messages. */
  readonly seen: string;
}

/**
 * Reads a model's inputs and outputs and chooses its adapter. Needs no onnxruntime.
 * @throws DafError ERR_DAF_MODEL_MISSING; ERR_DAF_BAD_MODEL with what was seen and what was expected; ERR_DAF_PERMISSION, ERR_DAF_IO.
 */
export async function inspectModel(file: string): Promise<InspectedModel> {
  let bytes: Uint8Array;
  try {
    const { size } = await stat(file);
    if (size > MAX_MODEL_BYTES) throw new DafError('ERR_DAF_BAD_MODEL', `${file} has ${size} bytes, more than a model here`);
    bytes = await readFile(file);
  } catch (cause) {
    throw DafError.is(cause) ? cause : missing(`model ${file}`, cause);
  }
  const header = headerOf(bytes, file);
  const adapter = identifyModel(header);
  const seen = describeHeader(header);
  if (adapter === null) {
    throw new DafError('ERR_DAF_BAD_MODEL', `${file} is of no known kind: ${seen}`, {
      hint: `expected ${EXPECTED.detector}; or ${EXPECTED.landmarks}`,
    });
  }
  const side = header.inputs[0]?.dims[3] ?? null;
  return { adapter, freeSize: side === null, side: side ?? 0, seen };
}

function headerOf(bytes: Uint8Array, file: string): OnnxHeader {
  try {
    return readOnnxHeader(bytes);
  } catch (cause) {
    throw new DafError('ERR_DAF_BAD_MODEL', `${file}: ${DafError.from(cause).message}`, { cause });
  }
}

export function missing(what: string, cause: unknown): DafError {
  const error = DafError.from(cause, 'ERR_DAF_IO');
  if (error.code !== 'ERR_DAF_NOT_FOUND') return new DafError(error.code, `${what}: ${error.message}`, { cause });
  return new DafError('ERR_DAF_MODEL_MISSING', `${what} does not exist`, {
    hint: 'give --models DIR, or --detector FILE and --landmarks FILE',
    cause,
  });
}
