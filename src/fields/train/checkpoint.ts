import { existsSync, readSync } from 'node:fs';
import { DafError } from '../../core/contracts/errors.js';
import { badData } from '../formats/bad-data.js';
import { withFile } from '../formats/read-file.js';
import type { TrainPlan } from './options.js';
import type { TrainSceneOptions } from './types.js';

/** What a checkpoint says of its training beside the state itself, which the core keeps. */
export interface TrainingNote {
  /** Of training so far. */
  readonly seconds: number;
  /** As {@link begunWith} names them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Checksums of the pictures that are learnt from, cameras included, in their order. */
  readonly pictures: readonly number[];
}

const MAX_HEADER = 16 << 20;
const BACKGROUNDS = ['scene', 'random', 'learned'];
/** Where nobody gives them the scene decides: they are looked at after its pictures, which explain them. */
const OF_SCENE = ['box', 'near'];
const AS_BEGUN = 'resume with the options and the scene that it was begun with, or begin anew without resume';

/** What must be the same when a training goes on, under the names of the options. Time and steps may be others. */
export function begunWith({ field, session }: TrainPlan): Record<string, unknown> {
  const { kind, box, seed: _, ...shape } = field;
  const { backgroundKind, background, totalSteps: __, ...rest } = session;
  const named = Object.entries(shape).filter(([name]) => name !== 'appearance' && name !== 'images');
  return {
    field: kind,
    ...Object.fromEntries(named.map(([name, value]) => [`shape ${name}`, value])),
    appearance: 'appearance' in field ? (field.appearance ?? 0) : 0,
    background: backgroundKind === 0 ? Array.from(background) : BACKGROUNDS[backgroundKind],
    ...rest,
    box,
  };
}

/**
 * The note of the checkpoint that a training is to go on from.
 * @returns null where it begins anew
 * @throws DafError ERR_DAF_BAD_OPTION: begun with other options, and which; ERR_DAF_BAD_DATA: no checkpoint, or damaged; ERR_DAF_IO
 */
export function earlierTraining(plan: TrainPlan, { checkpoint, resume }: TrainSceneOptions): TrainingNote | null {
  if (resume !== true) return null;
  if (checkpoint === undefined) throw new DafError('ERR_DAF_BAD_OPTION', 'resume needs the checkpoint to go on from');
  if (!existsSync(checkpoint)) return null;
  const note = readNote(checkpoint);
  checkOptions(note, plan, checkpoint, (name) => !OF_SCENE.includes(name));
  return note;
}

/**
 * Whether the scene is the one that the training was begun with.
 * @param names of the pictures that are learnt from, and `pictures` their checksums
 * @throws DafError ERR_DAF_BAD_DATA: the pictures are others; ERR_DAF_BAD_OPTION: the box or the nearest depth was given, and is another
 */
export function checkScene(
  note: TrainingNote,
  plan: TrainPlan,
  names: readonly string[],
  pictures: readonly number[],
  checkpoint: string,
): void {
  if (pictures.length !== note.pictures.length) {
    throw badData(`${checkpoint}: begun with ${note.pictures.length} pictures, now there are ${pictures.length}`, AS_BEGUN);
  }
  const other = pictures.findIndex((sum, i) => sum !== note.pictures[i]);
  if (other >= 0) throw badData(`${checkpoint}: begun with another picture, or camera, than ${names[other]} is now`, AS_BEGUN);
  checkOptions(note, plan, checkpoint, (name) => OF_SCENE.includes(name));
}

function checkOptions(note: TrainingNote, plan: TrainPlan, checkpoint: string, counts: (name: string) => boolean): void {
  // As JSON has them: what is undefined is left out, and numbers come back as they were written.
  const now = JSON.parse(JSON.stringify(begunWith(plan))) as Record<string, unknown>;
  for (const name of new Set([...Object.keys(now), ...Object.keys(note.options)])) {
    const [then, today] = [note.options[name], now[name]].map((value) => JSON.stringify(value) ?? 'none');
    if (then === today || !counts(name)) continue;
    throw new DafError('ERR_DAF_BAD_OPTION', `${checkpoint}: begun with ${name} ${then}, now ${today}`, { hint: AS_BEGUN });
  }
}

/** From the metadata of a safetensors file. */
function readNote(path: string): TrainingNote {
  const header = withFile(path, (file, size) => {
    const read = (length: number, position: number): Buffer => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, position));
    };
    const start = read(8, 0);
    const length = start.length < 8 ? Number.NaN : Number(start.readBigUInt64LE(0));
    if (!(length <= Math.min(MAX_HEADER, size - 8))) throw badData(`${path}: no checkpoint of a training, or cut off`);
    return read(length, 8).toString('utf8');
  });
  try {
    const { __metadata__: metadata } = JSON.parse(header) as { __metadata__: { note: string } };
    const { seconds, options, pictures } = JSON.parse(metadata.note) as Record<keyof TrainingNote, unknown>;
    const told =
      typeof seconds === 'number' &&
      seconds >= 0 &&
      typeof options === 'object' &&
      options !== null &&
      Array.isArray(pictures) &&
      pictures.every((sum) => typeof sum === 'number');
    if (told) return { seconds, options: options as TrainingNote['options'], pictures: pictures as number[] };
  } catch {
    // As below.
  }
  throw badData(`${path}: does not say what it was begun with, and for how long was trained`, AS_BEGUN);
}
