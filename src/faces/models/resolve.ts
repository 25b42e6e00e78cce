import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import type { ModelFile, VisionModels } from '../types.js';
import { type AdapterName, describeHeader, EXPECTED, identifyModel, type ModelRole, ROLE_OF } from './identify.js';
import { type OnnxHeader, readOnnxHeader } from './onnx-header.js';

export interface ModelOptions {
  /** A folder of .onnx files: each is inspected, the best detector and landmarker are taken. */
  readonly models?: string | undefined;
  /** One file; wins over `models`. */
  readonly detector?: string | undefined;
  readonly landmarks?: string | undefined;
}

/** Larger files are not the small models that run here. */
const MAX_MODEL_BYTES = 256 << 20;

/**
 * Finds and checks the models to use: the files given, then the folder given, then the folder that DAF_MODELS names. Without
 * any of these both are null: side-car landmarks still work. Needs no onnxruntime.
 * @throws DafError ERR_DAF_MODEL_MISSING: a file or folder named is not there, or the folder holds no model of a kind.
 * ERR_DAF_BAD_MODEL: a file named is not what it should be.
 */
export async function resolveModels(
  options: ModelOptions,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<VisionModels> {
  const chosen: { -readonly [role in ModelRole]: ModelFile | null } = {
    detector: options.detector === undefined ? null : await inspectFile(options.detector, 'detector'),
    landmarks: options.landmarks === undefined ? null : await inspectFile(options.landmarks, 'landmarks'),
  };
  const folder = options.models ?? (env['DAF_MODELS'] || undefined);
  if (folder === undefined || (chosen.detector !== null && chosen.landmarks !== null)) return chosen;
  const { found, refused } = await inspectFolder(folder);
  for (const role of ['detector', 'landmarks'] as const) {
    chosen[role] ??= found.find((model) => ROLE_OF[model.adapter] === role) ?? null;
    if (chosen[role] === null) {
      const seen = refused.length === 0 ? '' : `; not usable: ${refused.slice(0, 3).join('; ')}`;
      throw new DafError('ERR_DAF_MODEL_MISSING', `no ${NAMES[role]} in ${folder}${seen}`, {
        hint: `expected ${EXPECTED[role]}`,
      });
    }
  }
  return chosen;
}

const NAMES: Readonly<Record<ModelRole, string>> = { detector: 'face detector', landmarks: 'landmark model' };

/** Best first: a detector with points before one without; a free input size before a fixed one. */
const ADAPTER_ORDER: readonly AdapterName[] = ['yunet', 'ultraface', 'peppa68'];

async function inspectFolder(folder: string): Promise<{ found: ModelFile[]; refused: string[] }> {
  let names: string[];
  try {
    names = (await readdir(folder)).filter((name) => name.endsWith('.onnx')).sort();
  } catch (cause) {
    throw missing(`models folder ${folder}`, cause);
  }
  const ranked: { model: ModelFile; rank: number }[] = [];
  const refused: string[] = [];
  for (const name of names) {
    const file = resolve(join(folder, name));
    try {
      const { adapter, freeSize, side } = await inspect(file);
      ranked.push({ model: { file, adapter }, rank: ADAPTER_ORDER.indexOf(adapter) * 1e6 - (freeSize ? 1e5 : side) });
    } catch (error) {
      refused.push(`${name}: ${DafError.from(error).message}`);
    }
  }
  ranked.sort((a, b) => a.rank - b.rank);
  return { found: ranked.map(({ model }) => model), refused };
}

async function inspectFile(file: string, role: ModelRole): Promise<ModelFile> {
  const absolute = resolve(file);
  const { adapter, seen } = await inspect(absolute);
  if (ROLE_OF[adapter] === role) return { file: absolute, adapter };
  throw new DafError('ERR_DAF_BAD_MODEL', `${file} is a ${NAMES[ROLE_OF[adapter]]} (${seen}), not a ${NAMES[role]}`, {
    hint: `expected ${EXPECTED[role]}`,
  });
}

async function inspect(file: string): Promise<{ adapter: AdapterName; freeSize: boolean; side: number; seen: string }> {
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

function missing(what: string, cause: unknown): DafError {
  const error = DafError.from(cause, 'ERR_DAF_IO');
  if (error.code !== 'ERR_DAF_NOT_FOUND') return new DafError(error.code, `${what}: ${error.message}`, { cause });
  return new DafError('ERR_DAF_MODEL_MISSING', `${what} does not exist`, {
    hint: 'give --models DIR, or --detector FILE and --landmarks FILE',
    cause,
  });
}
