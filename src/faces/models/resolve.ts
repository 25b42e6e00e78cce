import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import { userFolder } from '../../core/user-folder.js';
import type { ModelFile, VisionModels } from '../types.js';
import { EMBEDDED, embeddedModels } from './embedded.js';
import { type AdapterName, EXPECTED, type ModelRole, ROLE_OF } from './identify.js';
import { inspectModel, missing } from './inspect.js';
import { registryModels } from './registry.js';

export interface ModelOptions {
  /** A folder of .onnx files: each is inspected, the best detector and landmarker are taken. `embedded`: those that DAF carries. */
  readonly models?: string | undefined;
  /** One file; wins over `models`. */
  readonly detector?: string | undefined;
  readonly landmarks?: string | undefined;
}

/**
 * Finds and checks the models to use: the files given, then the folder given, then the folder that DAF_MODELS names, then those
 * that `daf models add` left and that are still what was added, then those that DAF carries.
 * Needs no onnxruntime.
 * @throws DafError ERR_DAF_MODEL_MISSING: a file or folder named is not there, or the folder holds no model of a kind; ERR_DAF_VERIFY: the
 * only added model of a kind has changed. ERR_DAF_BAD_MODEL: a file named is not what it should be.
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
  if (chosen.detector !== null && chosen.landmarks !== null) return chosen;
  if (folder === EMBEDDED) {
    const own = carried(chosen);
    if (own.detector !== null && own.landmarks !== null) return own;
    throw new DafError('ERR_DAF_MODEL_MISSING', 'this installation carries no face models of its own', {
      hint: 'daf models add yunet peppa-68; or train them: benchmarks/training/README.md',
    });
  }
  if (folder === undefined) return carried(await fromRegistry(chosen, env));
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

/** DAF's own landmarker goes with any detector; its detector only gives candidates, so that it needs a landmarker that judges them. */
function carried(chosen: VisionModels): VisionModels {
  const own = embeddedModels();
  const landmarks = chosen.landmarks ?? own.landmarks;
  return { detector: chosen.detector ?? (landmarks?.adapter === 'daf68' ? own.detector : null), landmarks };
}

/** Added models: whoever added only one of a kind has photos with side-cars, so that is no error yet. */
async function fromRegistry(
  chosen: { [role in ModelRole]: ModelFile | null },
  env: Readonly<Record<string, string | undefined>>,
): Promise<VisionModels> {
  const home = userFolder(env);
  if (home === null) return chosen;
  const { found, refused } = await registryModels(join(home, 'models'));
  const ranked = found.map((model) => ({ model, rank: rankOf(model) })).sort((a, b) => a.rank - b.rank);
  for (const role of ['detector', 'landmarks'] as const) {
    const best = ranked.find(({ model }) => ROLE_OF[model.adapter] === role)?.model;
    if (best !== undefined) chosen[role] ??= { file: best.file, adapter: best.adapter };
    if (chosen[role] === null && refused.length > 0) {
      throw new DafError('ERR_DAF_VERIFY', `an added model is not what was added: ${refused.slice(0, 3).join('; ')}`, {
        hint: 'daf models verify; then remove it and add it again',
      });
    }
  }
  return chosen;
}

const NAMES: Readonly<Record<ModelRole, string>> = { detector: 'face detector', landmarks: 'landmark model' };

/** Best first: a detector with points before one without; a free input size before a fixed one. */
const ADAPTER_ORDER: readonly AdapterName[] = ['yunet', 'ultraface', 'peppa68', 'daf68'];

function rankOf({ adapter, freeSize, side }: { adapter: AdapterName; freeSize: boolean; side: number }): number {
  return ADAPTER_ORDER.indexOf(adapter) * 1e6 - (freeSize ? 1e5 : side);
}

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
      const inspected = await inspectModel(file);
      ranked.push({ model: { file, adapter: inspected.adapter }, rank: rankOf(inspected) });
    } catch (error) {
      refused.push(`${name}: ${DafError.from(error).message}`);
    }
  }
  ranked.sort((a, b) => a.rank - b.rank);
  return { found: ranked.map(({ model }) => model), refused };
}

async function inspectFile(file: string, role: ModelRole): Promise<ModelFile> {
  const absolute = resolve(file);
  const { adapter, seen } = await inspectModel(absolute);
  if (ROLE_OF[adapter] === role) return { file: absolute, adapter };
  throw new DafError('ERR_DAF_BAD_MODEL', `${file} is a ${NAMES[ROLE_OF[adapter]]} (${seen}), not a ${NAMES[role]}`, {
    hint: `expected ${EXPECTED[role]}`,
  });
}
