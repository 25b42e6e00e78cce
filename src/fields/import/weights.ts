import { closeSync, openSync, readSync } from 'node:fs';
import type { NativeTensor } from '../../core/addon/index.js';
import { DafError } from '../../core/contracts/errors.js';
import { badData } from '../formats/bad-data.js';
import { toFloats } from '../formats/npy.js';
import { NpzFile } from '../formats/npz.js';
import { native } from '../native.js';

/** Named arrays of floats, read when they are asked for. */
export interface WeightFile extends Disposable {
  readonly names: readonly string[];
  /** @throws DafError ERR_DAF_BAD_DATA: no such array, damaged, or not of numbers. */
  read(name: string): NativeTensor;
}

/**
 * Opens an `.npz` archive or a safetensors file; their first bytes tell which.
 * @throws DafError ERR_DAF_NOT_FOUND, ERR_DAF_IO, ERR_DAF_BAD_DATA: neither, or damaged.
 */
export function openWeights(path: string): WeightFile {
  const start = firstBytes(path);
  if (start.subarray(0, 2).toString('latin1') === 'PK') return openNpz(path);
  if (start.length === 9 && start[8] === 0x7b) return openSafetensors(path); // a JSON object behind its length
  throw notWeights(path);
}

function openNpz(path: string): WeightFile {
  const file = new NpzFile(path);
  if (file.names.length === 0) {
    file.close();
    throw notWeights(path);
  }
  return {
    names: file.names,
    read(name) {
      const array = file.read(name);
      return { name, shape: array.shape, data: toFloats(array, `${path}: "${name}"`) };
    },
    [Symbol.dispose]: () => file.close(),
  };
}

function openSafetensors(path: string): WeightFile {
  const tensors = new Map(native((daf) => daf.safetensorsFloats(path)).map((tensor) => [tensor.name, tensor]));
  return {
    names: [...tensors.keys()],
    read(name) {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw badData(`${path} holds no float tensor "${name}"`);
      return tensor;
    },
    [Symbol.dispose]() {},
  };
}

function notWeights(path: string): DafError {
  return badData(
    `${path}: neither an .npz archive nor a safetensors file`,
    "a PyTorch checkpoint becomes one in Python: numpy.savez('weights.npz', **{name: t.numpy() for name, t in state_dict.items()})",
  );
}

function firstBytes(path: string): Buffer {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(9);
      return bytes.subarray(0, readSync(file, bytes));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw DafError.from(error, 'ERR_DAF_IO');
  }
}
