import type { CameraValues, Looks } from '../../../core/addon/index.js';
import type { Attributes } from './attributes.js';
import { anglesOf } from './camera.js';
import type { PlannedPhoto } from './mix.js';
import { personName, personNames, photoNames } from './names.js';
import type { Picture } from './picture.js';
import { matrixOf, type Variation } from './variant.js';

/** Nine digits say a 32-bit float whole. */
export const exact = (value: number): number => Number(value.toPrecision(9));
const exactly = (values: Iterable<number>): number[] => Array.from(values, exact);

/** For a sensor 36 mm wide. */
const SENSOR_MM = 36;

export interface Person {
  readonly person: number;
  readonly identity: Float32Array;
  readonly looks: Looks;
  readonly attributes: Attributes;
}

/** What is true of a person, and stays so from photo to photo. */
export function personTruth({ person, identity, looks, attributes }: Person, photos: number): object {
  return {
    person: personName(person),
    photos,
    attributes,
    looks: { ...looks, hair: exactly(looks.hair), iris: exactly(looks.iris) },
    identity: exactly(identity),
    neutral: personNames(person).mesh,
  };
}

export interface VariedFrom {
  readonly source: number;
  readonly sourceSide: number;
  readonly variation: Variation;
}

/** What is true of a photo: enough to draw the person's head over it. */
export function photoTruth(person: Person, planned: PlannedPhoto, picture: Picture, from: VariedFrom | null): object {
  const { photo, mask } = photoNames(person.person, planned.index);
  const { camera, landmarks, side, expression } = picture;
  return {
    photo,
    mask,
    person: personName(person.person),
    category: planned.category,
    width: side,
    height: side,
    camera: cameraTruth(camera),
    focalMm: exact((SENSOR_MM * camera.focal) / side),
    pose: Object.fromEntries(Object.entries(anglesOf(camera.rotation)).map(([name, angle]) => [name, exact(angle)])),
    landmarks: Array.from({ length: landmarks.length / 2 }, (_, i) => exactly(landmarks.subarray(2 * i, 2 * i + 2))),
    identity: exactly(person.identity),
    expression: exactly(expression),
    attributes: person.attributes,
    variant: from && variantTruth(person.person, from),
  };
}

function cameraTruth({ rotation, translation, focal, center }: CameraValues): object {
  return { rotation: exactly(rotation), translation: exactly(translation), focal: exact(focal), center: exactly(center) };
}

function variantTruth(person: number, { source, sourceSide, variation }: VariedFrom): object {
  const { mirror, window, blur, gain, noise, jpeg } = variation;
  return {
    of: photoNames(person, source).photo,
    mirror,
    turn: exact(window.turn),
    side: window.side,
    matrix: matrixOf(variation, sourceSide).map(exactly),
    blur: exact(blur),
    gain: exactly(gain),
    noise: exact(noise),
    jpeg,
  };
}
