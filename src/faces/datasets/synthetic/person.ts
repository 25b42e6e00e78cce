import { addon } from '../../../core/addon/index.js';
import type { TaskContext } from '../../../core/contracts/stage.js';
import { ptsText } from '../../vision/sidecar.js';
import { attributesOf } from './attributes.js';
import { encodeMask, encodePhoto } from './encode.js';
import { headPly } from './mesh_file.js';
import { type Category, type PlannedPhoto, planPerson, type SetOptions } from './mix.js';
import { embeddedModel, type Model, shapeOf } from './model.js';
import { personNames, photoNames } from './names.js';
import type { Picture } from './picture.js';
import { Draws } from './random.js';
import { type Person, personTruth, photoTruth, type VariedFrom } from './truth.js';
import { drawVariation, varied } from './variant.js';

/** Texels a side of the skin that a photo is rendered with, at full scale: as fine as its pixels need. */
const TEXTURE = 1024;

/** What making a set asks of its task. */
export type MakingContext = Pick<TaskContext, 'control' | 'checkCancelled'>;

export function makePerson(set: SetOptions, person: number): Person {
  const { identity, looks } = addon().makePerson(embeddedModel().handle, set.seed, person, false);
  return { person, identity, looks, attributes: attributesOf(looks) };
}

/** Files of a photo, by name. */
export interface PhotoFiles {
  readonly category: Category;
  /** In the plan. */
  readonly index: number;
  readonly planned: number;
  readonly files: readonly (readonly [name: string, content: Uint8Array | string])[];
}

/** The files of a person that belong to no photo. */
export function personFiles(set: SetOptions, person: Person): (readonly [string, Uint8Array | string])[] {
  const model = embeddedModel();
  const names = personNames(person.person);
  const neutral = shapeOf(model, person.identity, new Float32Array(0));
  return [
    [names.mesh, headPly(neutral, model.triangles)],
    [names.truth, json(personTruth(person, planPerson(set, person.person).length))],
  ];
}

/**
 * A person's photos, one at a time; of those made before, only what variants are made of is kept.
 * @param context of the task: native code polls `control`, the rest calls `checkCancelled`. @throws ERR_DAF_CANCELLED
 */
export async function* photoFiles(set: SetOptions, person: Person, context: MakingContext): AsyncGenerator<PhotoFiles> {
  const model = embeddedModel();
  const plan = planPerson(set, person.person);
  const kept = new Map<number, Picture>();
  for (const planned of plan) {
    const { index, source, category } = planned;
    let picture: Picture;
    let from: VariedFrom | null = null;
    if (source === null) picture = render(model, set, person, planned, context.control);
    else {
      const draws = new Draws(set.seed, person.person, 2, index);
      const photo = kept.get(source)!;
      const variation = drawVariation(photo, draws);
      from = { source, sourceSide: photo.side, variation };
      picture = varied(photo, variation, model.info.expressionNames, draws, () => context.checkCancelled());
    }
    for (const each of kept.keys()) if (!isSource(plan, each, index)) kept.delete(each);
    if (isSource(plan, index, index)) kept.set(index, picture);
    const names = photoNames(person.person, index);
    const files = [
      [names.photo, await encodePhoto(picture.rgb, picture.side, from?.variation.jpeg ?? null)],
      [names.landmarks, ptsText(picture.landmarks)],
      [names.mask, await encodeMask(picture.mask, picture.side)],
      [names.truth, json(photoTruth(person, planned, picture, from))],
    ] as const;
    yield { category, index, planned: plan.length, files };
  }
}

/** Whether a variant after `done` is made of the photo. */
function isSource(plan: readonly PlannedPhoto[], photo: number, done: number): boolean {
  return plan.some(({ index, source }) => index > done && source === photo);
}

function render(model: Model, set: SetOptions, { person }: Person, planned: PlannedPhoto, control: Int32Array | null): Picture {
  const { side, index: photo } = planned;
  const drawn = { yaw: null, pitch: null, roll: null, focalMm: null, expression: null };
  const texture = Math.max(64, side, TEXTURE * set.scale);
  const options = { seed: set.seed, person, photo, width: side, height: side, ...drawn, marks: false, texture };
  const { rgb, mask, camera, landmarks, expression } = addon().synthesize(model.handle, options, control);
  return { side, rgb, mask, camera, landmarks, expression };
}

function json(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
