import type { CameraValues, HeadHandle } from './head.js';

/** native/head/synth, as bindings/head_synth.cpp exports it, in the same order. All of it needs the embedded head. */
export interface HeadSynthAddon {
  /** A person who does not exist; the same (seed, person) is the same one. `marks`: see Looks. */
  makePerson(head: HeadHandle, seed: number, person: number, marks: boolean): SyntheticPerson;
  /** Looks of an average adult. */
  averageLooks(): Looks;
  /**
   * Albedo in the head's charts, rgba[size·size·4] sRGB; alpha is the strands' opacity on the hair's chart and 255
   * elsewhere. size: 64…4096. What to show where no photo saw the person.
   */
  paintAlbedo(head: HeadHandle, looks: Looks, size: number, control: Int32Array | null, rgba: Uint8Array): void;
  /** A rendered portrait with its truth; the same options give the same bytes. Throws ERR_DAF_CANCELLED. */
  synthesize(head: HeadHandle, options: SynthesizeOptions, control: Int32Array | null): SyntheticPhoto;
  /**
   * Small pictures to train and measure face finders on, milliseconds each. Unlike the others here it takes any head whose parts
   * carry the embedded head's names. Throws ERR_DAF_CANCELLED.
   */
  synthesizeFaces(head: HeadHandle, options: SynthesizeFacesOptions, control: Int32Array | null): SyntheticFaces;
}

export interface SyntheticPerson {
  /** Coefficients of the head's identity modes. */
  readonly identity: Float32Array;
  readonly looks: Looks;
}

export interface Looks {
  /** Seed of what is random on the skin, 0…2³²−1. */
  readonly grain: number;
  /** −1…1 */
  readonly masculine: number;
  /** 0 (20 years) … 1 (75) */
  readonly age: number;
  /** 0.05 (palest) … 2 */
  readonly melanin: number;
  /** 0.3…0.65 */
  readonly blood: number;
  /** 0…1 */
  readonly freckles: number;
  /** 0…1 */
  readonly stubble: number;
  readonly moles: number;
  /** 0.3…1 */
  readonly browDensity: number;
  /** Share of the average width. */
  readonly browWidth: number;
  /** 0 natural … 1 painted */
  readonly lipColour: number;
  /** Share of grey hair, 0…1. */
  readonly grey: number;
  /** Linear RGB. */
  readonly hair: Float32Array;
  /** Linear RGB. */
  readonly iris: Float32Array;
  readonly style: 'short' | 'long' | 'bald' | 'receding' | 'bun' | 'cropped';
  /** A mole on the left cheek and a letter L on the left of the neck, so that tests can tell the sides apart. */
  readonly marks: boolean;
}

/** null: drawn from the seed. Angles in radians, signs as everywhere (yaw > 0 turns the face to its own left). */
export interface SynthesizeOptions {
  readonly seed: number;
  /** Who. */
  readonly person: number;
  /** Which of their photos: light, camera, background and expression differ. */
  readonly photo: number;
  /** Pixels, 64…2048. */
  readonly width: number;
  readonly height: number;
  readonly yaw: number | null;
  readonly pitch: number | null;
  readonly roll: number | null;
  /** For a sensor 36 mm wide, 10…400; drawn between 24 and 135. */
  readonly focalMm: number | null;
  /** 0 none … 1 lively. */
  readonly expression: number | null;
  readonly marks: boolean;
  /** Texels a side of the albedo painted for the photo, 64…4096; 1024 suits 512 pixels and more. */
  readonly texture: number;
}

export interface SyntheticPhoto {
  /** [height][width][3] sRGB */
  readonly rgb: Uint8Array;
  /** [height][width] opacity of head, hair and neck, 0…255 */
  readonly mask: Uint8Array;
  readonly camera: CameraValues;
  readonly yaw: number;
  readonly pitch: number;
  readonly roll: number;
  readonly focalMm: number;
  readonly identity: Float32Array;
  readonly expression: Float32Array;
  /** [68][2] pixels; jaw points that hide lie on the visible contour. */
  readonly landmarks: Float32Array;
}

export interface SynthesizeFacesOptions {
  readonly seed: number;
  /** Pictures first … first + count − 1 of this seed; each depends on its own number alone. count ≤ 4096. */
  readonly first: number;
  readonly count: number;
  /** `crops`: one face in the middle; `scenes`: none to four of any size among distractors; `plain`: one, clean, to measure on. */
  readonly form: 'crops' | 'scenes' | 'plain';
  /** Pixels, 64…1024. */
  readonly side: number;
}

export interface SyntheticFaces {
  /** [count][side][side][3] sRGB */
  readonly rgb: Uint8Array;
  /** [count] faces in each picture. */
  readonly faces: Uint8Array;
  /**
   * [count][4][245], room for four faces: 68 (x, y) in pixels; for each whether the head itself does not hide it, 0 or 1; box left, top,
   * right, bottom; yaw, pitch, roll in radians; 17 (x, y) of the jaw's own points, hidden or not (among the 68 those that hide
   * lie on the visible contour).
   */
  readonly truth: Float32Array;
}
