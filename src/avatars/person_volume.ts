import { DafError } from '../core/contracts/errors.js';
import { Field } from '../fields/index.js';
import { projectPoint, resizedCamera } from './camera.js';
import { CAPTURE_LEVELS, captureHead } from './capture/capture_field.js';
import { fieldPhoto, shrinkPhoto } from './field_photo.js';
import { type FittedPerson, landmarkOf } from './fit_person.js';
import type { Head } from './head.js';
import { neutralPhoto } from './neutral_photo.js';
import type { Refusal } from './observation.js';
import type { AvatarOptions } from './options.js';
import type { PersonContext } from './person.js';
import type { OpenPhoto } from './photo.js';
import type { CaptureReport } from './report.js';
import type { Surface } from './surface.js';
import { type Draw, drawsField, fieldBox, supervisedViews, trainField } from './volume.js';

/** A person's field as files, and as pictures are drawn from it. */
export interface Volume extends Disposable {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly trained: { readonly steps: number; readonly samples: number };
  readonly capture: CaptureReport | null;
  /** A capture that could not be used as one. */
  readonly refused: readonly Refusal[];
  readonly draw: Draw;
}

/** What a field is made from. */
export interface FieldSources {
  readonly head: Head;
  /** avatar.glb, read back. */
  readonly surface: Surface;
  readonly person: FittedPerson;
  /** In head space, cm. */
  readonly chin: readonly number[];
  readonly photos: readonly OpenPhoto[];
}

/** Of a posed capture its own field; where its poses and its faces do not agree its pictures are photos like others, and the report says why. */
export async function personVolume(sources: FieldSources, options: AvatarOptions, context: PersonContext): Promise<Volume> {
  const capture = sources.photos.find(({ observation }) => observation.capture !== undefined)?.observation.capture;
  if (capture === undefined) return photoVolume(sources, options, context);
  try {
    return await captureVolume(sources, options, context);
  } catch (error) {
    const { code, message } = DafError.from(error);
    if (!UNUSABLE.has(code)) throw error;
    const volume = await photoVolume(sources, options, context);
    return { ...volume, refused: [{ photo: capture.scene, code, message }] };
  }
}

/** What is the capture's fault. */
const UNUSABLE: ReadonlySet<string> = new Set(['ERR_DAF_BAD_DATA', 'ERR_DAF_BAD_IMAGE', 'ERR_DAF_NOT_FOUND']);

/** From photos: the head's field, which learns from them what the mesh cannot show. */
async function photoVolume(
  { head, surface, person, chin, photos }: FieldSources,
  options: AvatarOptions,
  context: PersonContext,
): Promise<Volume> {
  const { level, seed } = options;
  const views = supervisedViews(surface, level, seed, context.control);
  for (const [i, photo] of photos.entries()) {
    const { camera, expression } = person.fit.views[i]!;
    // Brought to its size before its expression is taken out: what that moves, the field does not see any finer.
    const small = await shrinkPhoto(photo, level.photoSize);
    const view = resizedCamera(camera, small.width, small.height);
    const still = expression.every((weight) => weight < 0.02);
    const shown = still ? small : neutralPhoto(head, small, view, person.neutral, person.shown[i]!, context.control);
    views.push(fieldPhoto(shown, view, surface, chin, context.control));
  }
  const widths = { densityWidth: level.fieldWidth, colorWidth: level.fieldWidth };
  using made = Field.create({ kind: 'hashgrid', box: fieldBox(surface), seed, ...widths });
  const samples = trainField(made, views, level, seed, context.control, (share) => {
    context.checkCancelled();
    context.progress(0.2 + 0.6 * share);
  });
  const bytes = made.save();
  const field = Field.load(bytes);
  return {
    files: new Map([['field.safetensors', bytes]]),
    trained: { steps: level.steps, samples },
    capture: null,
    refused: [],
    draw: drawsField(field, context.control),
    [Symbol.dispose]: () => field.dispose(),
  };
}

/** Photos whose mattes must agree: one alone may be wrong. */
const AGREE = 2;

/** Whether at least two photos show a point of head space beside the head. */
function isBeside(point: readonly number[], person: FittedPerson, photos: readonly OpenPhoto[]): boolean {
  let beside = 0;
  for (const [i, { width, height, matte }] of photos.entries()) {
    const at = projectPoint(person.fit.views[i]!.camera, point);
    if (at === null) continue;
    const [x, y] = [Math.floor(at[0]), Math.floor(at[1])];
    if (x >= 0 && y >= 0 && x < width && y < height && matte[y * width + x]! < 64) beside += 1;
  }
  return beside >= AGREE;
}

/** From a posed capture: what all its pictures show of the head. */
async function captureVolume(
  { head, surface, person, photos }: FieldSources,
  options: AvatarOptions,
  context: PersonContext,
): Promise<Volume> {
  const { control } = context;
  const landmarks = Array.from({ length: 68 }, (_, landmark) => landmarkOf(head, person.neutral, landmark)).flat();
  const observations = photos.map(({ observation }) => observation);
  const shape = {
    positions: person.neutral,
    box: surface.box,
    landmarks,
    isEmpty: (point: readonly number[]) => isBeside(point, person, photos),
  };
  const captured = await captureHead(observations, shape, {
    ...{ level: CAPTURE_LEVELS[options.quality], seed: options.seed, control },
    onProgress(share) {
      context.checkCancelled();
      context.progress(0.2 + 0.6 * share);
    },
  });
  const field = Field.load(captured.field);
  return {
    files: new Map([
      ['field.safetensors', captured.field],
      ['capture.glb', captured.glb],
    ]),
    trained: { steps: captured.steps, samples: captured.samples },
    capture: captured.report,
    refused: [],
    draw: drawsField(field, control),
    [Symbol.dispose]: () => field.dispose(),
  };
}
