import { statSync } from 'node:fs';
import type { PlanInput, PlannedRecord } from '../../core/contracts/definition.js';
import { DafError } from '../../core/contracts/errors.js';
import type { Emit, FinalizeContext, MapRecord, TaskContext } from '../../core/contracts/stage.js';
import { loadSharp } from '../../core/sharp.js';
import { defineJob } from '../../engine/jobs/define.js';
import { Field } from '../field.js';
import { checkFrameMemory } from './frame-memory.js';
import { frameKey, frameName, frameOptions } from './frame-options.js';
import { encodePng, encodeWebp } from './pictures.js';
import { checkOneSize, planShot } from './shot.js';
import { assembleTiles, decodeTile, encodeRendered, encodeTile } from './tile.js';
import { animateWebp } from './webp.js';

/** Of a task's memory, what the frame that it puts together and encodes may take. */
const FRAME_MEMORY = 128 << 20;

/**
 * Renders a field along a camera path: a map task is a frame, or a band of its rows; reduce assembles and encodes the frames; finalize joins
 * them into `turntable.webp`. Parameters: {@link ShotOptions} and {@link FrameOptions}.
 */
export default defineJob({
  name: 'nerf-render',
  module: import.meta.url,
  text: false,
  // What reduce emits is an index: frame, tab, its file.
  output: { kind: 'text', separator: '\t' },
  check: (params) => void frameOptions(params),
  plan: planFrames,
  map: renderTile,
  reduce: assembleFrame,
  finalize: joinFrames,
  // A field of 2^19 entries a level with its packed copies is 70 MB, a frame of 2048² pixels on its way 16 MB.
  memory: { sortBuffer: 24 << 20, task: 192 << 20 },
});

async function* planFrames(
  inputs: readonly PlanInput[],
  params: Readonly<Record<string, string>>,
): AsyncGenerator<PlannedRecord> {
  const { frames, shot } = frameOptions(params);
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    throw new DafError('ERR_DAF_BAD_ARGUMENT', `nerf-render renders one field, not ${inputs.length}`, {
      hint: 'daf run nerf-render --input field.safetensors',
    });
  }
  using field = Field.load(input.path);
  const { cameras, look } = await planShot(field, shot);
  for (const camera of cameras) checkFrameMemory(camera, FRAME_MEMORY);
  if (frames.format === 'webp') checkOneSize(cameras);
  for (const [index, camera] of cameras.entries()) {
    for (const window of bands(camera.width, camera.height, frames.tiles)) {
      yield { key: frameKey(index), value: encodeTile({ field: input.path, camera, window, ...look }) };
    }
  }
}

function* bands(width: number, height: number, count: number) {
  for (let i = 0; i < count; i++) {
    const y = Math.round((i * height) / count);
    const end = Math.round(((i + 1) * height) / count);
    if (end > y) yield { x: 0, y, width, height: end - y };
  }
}

function renderTile({ key, value }: MapRecord, emit: Emit, context: TaskContext): void {
  const { field: path, camera, window, ...look } = decodeTile(value);
  const { rgba } = openField(path).render(camera, { ...look, window, control: context.control });
  emit(key, encodeRendered({ width: camera.width, height: camera.height, row: window.y, rgba }));
  context.counters.add('pixels', window.width * window.height);
}

let opened: { readonly path: string; readonly version: string; readonly field: Field } | null = null;

/** A task thread renders many frames of one field: it stays open until another is asked for. */
function openField(path: string): Field {
  const { mtimeMs, size } = statSync(path);
  const version = `${mtimeMs} ${size}`;
  if (opened?.path === path && opened.version === version) return opened.field;
  opened?.field.dispose();
  opened = null;
  opened = { path, version, field: Field.load(path) };
  return opened.field;
}

async function assembleFrame(key: Uint8Array, values: Iterable<Uint8Array>, emit: Emit, context: TaskContext): Promise<void> {
  const { format } = frameOptions(context.params).frames;
  const index = Number(Buffer.from(key).toString('latin1'));
  const frame = assembleTiles(values);
  const name = frameName(index, format);
  await context.files.put(name, format === 'png' ? await encodePng(frame) : await encodeWebp(frame));
  emit(frameKey(index), name);
}

async function joinFrames(context: FinalizeContext): Promise<void> {
  const { format, fps } = frameOptions(context.params).frames;
  if (format !== 'webp') return;
  const stills: Uint8Array[] = [];
  for (const { name } of context.outputs) {
    if (name.startsWith('frames/')) stills.push(await context.read(name));
  }
  const sharp = await loadSharp();
  const { width, height } = await sharp(stills[0]).metadata();
  await context.files.put('turntable.webp', animateWebp(stills, { width, height }, 1000 / fps));
}
