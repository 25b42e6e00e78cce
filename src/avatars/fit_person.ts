import { addon, type HeadFit } from '../core/addon/index.js';
import { bareScalp } from './bare_scalp.js';
import { baseTexture } from './base_texture.js';
import { fillHair, type HairSource } from './hair_fill.js';
import { hairLength, hairLengthMode, withHairLength } from './hair_length.js';
import { rimColors } from './hair_rim.js';
import { type Head, shapeOf } from './head.js';
import { fitView, type OpenPhoto } from './photo.js';
import { closeSeams } from './seams.js';

/** A person's head and every photo's camera. */
export interface FittedPerson {
  readonly fit: HeadFit;
  /** [positions][3] cm, neutral face: what is exported. */
  readonly neutral: Float32Array;
  /** The same as each photo shows it: with its expression. */
  readonly shown: readonly Float32Array[];
}

/** One identity for all photos, and the hair as their mattes show it. @throws DafError ERR_DAF_BAD_ARGUMENT, ERR_DAF_MEMORY_LIMIT, ERR_DAF_CANCELLED */
export function fitPerson(head: Head, photos: readonly OpenPhoto[], control: Int32Array): FittedPerson {
  const native = addon();
  const landmarked = native.fitHead(
    head.handle,
    photos.map((photo) => fitView(photo.observation)),
    { identityModes: null, expressionModes: null, noise: null, expressionSpread: null, jaw: null, displacement: null },
    control,
  );
  const short = shapeOf(head, landmarked.identity, undefined, landmarked.displacement);
  const chin = landmarkOf(head, short, CHIN);
  const views = landmarked.views.map(({ camera, trust }, i) => {
    const { matte, observation } = photos[i]!;
    return { camera, matte, weight: Math.max(1e-3, observation.quality * trust), bare: bareScalp(photos[i]!, camera, chin) };
  });
  const upright = native.fitHair(head.handle, short, views, control);
  const shown = landmarked.views.map(({ expression }, i) => {
    const positions = shapeOf(head, landmarked.identity, expression, landmarked.displacement);
    return { ...views[i]!, photo: photos[i]!, positions: positions.map((value, k) => value + upright[k]!), chin };
  });
  const length = hairLength(head, shown, control);
  const identity = landmarked.identity.slice();
  if (length > 0) identity[hairLengthMode(head)] = length;
  const hair = length > 0 ? native.fitHair(head.handle, withHairLength(head, short, length), views, control) : upright;
  const fit = { ...landmarked, identity, displacement: landmarked.displacement.map((value, i) => value + hair[i]!) };
  return {
    fit,
    neutral: shapeOf(head, fit.identity, undefined, fit.displacement),
    shown: fit.views.map((view) => shapeOf(head, fit.identity, view.expression, fit.displacement)),
  };
}

export interface PersonTexture {
  /** [size][size][3] sRGB. */
  readonly rgb: Uint8Array;
  readonly size: number;
  readonly observedFraction: number;
  readonly hair: HairSource;
}

/** The 68 landmarks' chin. */
export const CHIN = 8;

export function landmarkOf(head: Head, positions: Float32Array, landmark: number): readonly number[] {
  const at = 3 * head.info.landmarks[landmark]!;
  return [...positions.subarray(at, at + 3)];
}

/** Blends all photos into the head's atlas; what none saw is mirrored, then filled. Their mattes should hold no clothes. */
export function texturePerson(
  head: Head,
  person: FittedPerson,
  photos: readonly OpenPhoto[],
  size: number,
  control: Int32Array,
): PersonTexture {
  const native = addon();
  const base = baseTexture(head, size);
  const texture = new Uint8Array(4 * size * size);
  const observed = new Uint8Array(size * size);
  const { observedFraction } = native.projectTexture(
    head.handle,
    photos.map(({ rgb, matte, width, height, observation }, i) => ({
      positions: person.shown[i]!,
      camera: person.fit.views[i]!.camera,
      photo: { data: rgb, width, height, channels: 3 },
      matte,
      weight: Math.max(1e-3, observation.quality * person.fit.views[i]!.trust),
    })),
    base,
    size,
    { removeLight: null, mirror: null },
    control,
    texture,
    observed,
  );
  const chin = landmarkOf(head, person.neutral, CHIN);
  const rim = photos.flatMap((photo, i) => rimColors(photo, person.fit.views[i]!.camera, chin));
  const hair = fillHair(head, texture, observed, size, rim, person.neutral);
  closeSeams(head, texture, size);
  const rgb = new Uint8Array(3 * size * size);
  for (let i = 0; i < size * size; i++) {
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = texture[4 * i + c]!;
  }
  return { rgb, size, observedFraction, hair };
}
