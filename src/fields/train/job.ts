import { basename, dirname, extname, join } from 'node:path';
import type { PlanInput, PlannedRecord } from '../../core/contracts/definition.js';
import { DafError } from '../../core/contracts/errors.js';
import type { Emit, MapRecord, TaskContext } from '../../core/contracts/stage.js';
import { checkKeys, parseWhole } from '../../core/options/index.js';
import { defineJob } from '../../engine/jobs/define.js';
import { openScene } from '../scenes/open.js';
import { posesJson } from './poses.js';
import { parseShape } from './shape.js';
import { trainScene } from './train-scene.js';

const DEFAULT_STEPS = 3000;
const CANCEL_POLL_MS = 20;

/**
 * Trains a field for each scene: a map task is a scene. Inputs are the files that describe them (`transforms.json`, `tiny_nerf_data.npz`, …).
 * Parameters: `steps`, `seed`, `threads` of a task, `field` (hashgrid or classic) and its `shape` (see parseShape), `refinePoses` (true or
 * false). Outputs are `<scene>.safetensors`, with refinePoses `<scene>.poses.json`, and an index: scene, tab, steps, loss and training PSNR.
 */
export default defineJob({
  name: 'nerf-train',
  module: import.meta.url,
  text: false,
  output: { kind: 'text', separator: '\t' },
  check: (params) => void options(params),
  plan: planScenes,
  map: trainOne,
  reduce: index,
  // A table of 2^18 entries a level with gradients, moments and average is 130 MB; pictures are page cache.
  memory: { sortBuffer: 8 << 20, task: 288 << 20 },
});

async function* planScenes(inputs: readonly PlanInput[]): AsyncGenerator<PlannedRecord> {
  const names = new Set<string>();
  for (const { path } of inputs) {
    const name = sceneName(path);
    if (names.has(name)) throw new DafError('ERR_DAF_BAD_ARGUMENT', `two scenes are called ${name}`);
    names.add(name);
    await openScene(path, { split: 'train' }); // what is no scene is said before a task is made of it
    yield { key: name, value: path };
  }
}

function options(params: Readonly<Record<string, string>>) {
  checkKeys('nerf-train', params, ['steps', 'seed', 'threads', 'field', 'shape', 'refinePoses']);
  return {
    field: parseShape(params['field'] ?? 'hashgrid', params['shape']),
    steps: parseWhole('steps', params['steps'] ?? DEFAULT_STEPS, 1, 100_000_000),
    seed: parseWhole('seed', params['seed'] ?? 1, 0, 2 ** 32 - 1),
    threads: parseWhole('threads', params['threads'] ?? 1, 1, 64),
    refinePoses: parseSwitch(params['refinePoses'] ?? 'false'),
  };
}

function parseSwitch(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new DafError('ERR_DAF_BAD_OPTION', `refinePoses=${text}; expected true or false`);
}

/** The folder's name where the file has the name that every scene's has. */
export function sceneName(path: string): string {
  const name = basename(path, extname(path));
  return /^(transforms(_train)?|tiny_nerf_data|cameras|images|points3D)$/.test(name) ? basename(dirname(path)) : name;
}

async function trainOne({ key, value }: MapRecord, emit: Emit, context: TaskContext): Promise<void> {
  const name = Buffer.from(key).toString('utf8');
  const abort = new AbortController();
  const watch = setInterval(() => Atomics.load(context.control, 0) !== 0 && abort.abort(), CANCEL_POLL_MS);
  try {
    const scene = await openScene(Buffer.from(value).toString('utf8'), { split: 'train', signal: abort.signal });
    const { field, progress, poses } = await trainScene(scene, {
      ...options(context.params),
      signal: abort.signal,
      onProgress: ({ fraction }) => context.progress(fraction),
    });
    using trained = field;
    const file = join(context.scratchDir, 'field.safetensors');
    trained.saveFile(file);
    await context.files.putFile(`${name}.safetensors`, file);
    if (poses !== null) await context.files.put(`${name}.poses.json`, posesJson(poses));
    context.counters.add('steps', progress.step);
    emit(name, `${progress.step}\t${progress.loss.toPrecision(6)}\t${progress.psnr.toFixed(2)}`);
  } finally {
    clearInterval(watch);
  }
}

function index(key: Uint8Array, values: Iterable<Uint8Array>, emit: Emit): void {
  for (const value of values) emit(key, value);
}
