import { addon, type CameraValues } from '../core/addon/index.js';
import { faceHeight, projectPoint, resizedCamera } from './camera.js';
import { nearAny } from './clothes.js';
import { colourTable } from './colour_table.js';
import type { Head } from './head.js';
import type { OpenPhoto } from './photo.js';

/** One photo of a head whose hair does not hang. */
export interface HangView {
  readonly photo: Pick<OpenPhoto, 'rgb' | 'matte' | 'width' | 'height'>;
  readonly camera: CameraValues;
  /** [positions][3] cm, as the photo shows the head. */
  readonly positions: Float32Array;
  /** In head space, cm. */
  readonly chin: readonly number[];
  /** 0…1, how bare the scalp is. */
  readonly bare: number;
}

/** The identity mode that lets hair hang, and the lengths that are tried: standard deviations of 5 cm. */
const MODE = 'hair_length';
const LONGEST = 3.2;
const STEP = 0.4;
const FINER = 0.2;
/** Longer side of the pictures that are looked at, pixels. */
const SIDE = 200;
/** Faces above the chin: up to the ears' lower half hanging hair is looked for, above the second hair is known, from the third to it skin. */
const BELOW = 0.55;
const FOREHEAD = 0.9;
const CHEEKS = 0.1;
/** How far hair may hang beside where the model has it, cm: as strands that count there, and as what is no backdrop. */
const STRAY = 0.6;
const BESIDE = 2;
/** Fewer pixels teach no colour. */
const FEWEST = 60;
/** Most that a pixel's colour can say, log odds: hanging hair is strands between which other things show, so these speak less against it. */
const FOR = 2.5;
const AGAINST = 0.4;
/** Where none of a stretch so high, in faces, looks like hair, hair has ended. */
const BAND = 0.15;
/** How much more of a backdrop may look like hair nearer the head. */
const DOUBTED = 2;
/** Above this a head has no hair to hang. */
const BARE = 0.5;
/** What speaks for a length, summed over pixels: least to believe it; so much less than for a shorter one, and longer ones are not tried. */
const LEAST = 20;
const HOPELESS = 120;
/** Of the most that speaks for any length: the shortest that has so much is taken, because clothes in shadow look like hair. */
const ENOUGH = 0.85;

/** Where a head has the mode, or −1. */
export const hairLengthMode = (head: Head): number => head.info.identityNames.indexOf(MODE);

/**
 * How long the hair hangs, by the colours of what it would cover: of all lengths the one whose hair covers most of what looks like the hair above
 * and least of what looks like skin, clothes or backdrop.
 * @returns of the mode hairLengthMode, 0…3.2; 0 where nothing hangs, or hair cannot be told from what lies behind it.
 */
export function hairLength(head: Head, views: readonly HangView[], control: Int32Array): number {
  const motion = motionOf(head);
  const haired = views.filter(({ bare }) => bare <= BARE);
  if (motion === null) return 0;
  const drawings = haired.flatMap((view) => {
    const drawing = drawingOf(head, view, motion, control);
    const now = drawing.hairAt(0);
    const likely = evidence(drawing, now);
    return likely === null ? [] : [{ drawing, now, likely }];
  });
  const speaksFor = (length: number): number =>
    drawings.reduce((sum, { drawing, now, likely }) => {
      const hair = drawing.hairAt(length);
      return sum + likely.reduce((total, odds, i) => total + (hair[i] === 1 && now[i] === 0 ? odds : 0), 0);
    }, 0) / Math.max(1, drawings.length);
  const tried = new Map<number, number>();
  let [best, most] = [0, 0];
  const look = (length: number): void => {
    tried.set(length, speaksFor(length));
    if (tried.get(length)! > most) [best, most] = [length, tried.get(length)!];
  };
  for (let k = 1; k * STEP <= LONGEST && drawings.length > 0; k++) {
    look(k * STEP);
    if (tried.get(k * STEP)! < most - HOPELESS) break;
  }
  if (most < LEAST) return 0;
  for (const length of [best - FINER, best + FINER]) if (length <= LONGEST) look(length);
  return Math.min(...[...tried].filter(([, total]) => total >= ENOUGH * most).map(([length]) => length));
}

/** What a unit of the mode adds to [positions][3], cm; null where a head has none. */
function motionOf(head: Head): Float32Array | null {
  const mode = hairLengthMode(head);
  if (mode < 0) return null;
  const motion = new Float32Array(3 * head.info.positionCount);
  addon().headMode(head.handle, 'identity', mode, motion);
  return motion;
}

/** A head's positions with its hair hanging. */
export function withHairLength(head: Head, positions: Float32Array, length: number): Float32Array {
  const motion = length > 0 ? motionOf(head) : null;
  return motion === null ? positions : positions.map((value, i) => value + length * motion[i]!);
}

interface Triangles {
  readonly strands: Uint32Array;
  readonly rest: Uint32Array;
}

const parted = new WeakMap<Head, Triangles>();

/** Those of a head's hair and of all else: the same for everybody. */
function trianglesOf(head: Head): Triangles {
  const known = parted.get(head);
  if (known !== undefined) return known;
  const [strands, rest] = [true, false].map((hair) =>
    Uint32Array.from(
      head.info.parts
        .filter(({ name }) => name.startsWith('hair') === hair)
        .flatMap(({ firstTriangle, triangleCount }) => [
          ...head.triangles.subarray(3 * firstTriangle, 3 * (firstTriangle + triangleCount)),
        ]),
    ),
  ) as [Uint32Array, Uint32Array];
  const made = { strands, rest };
  parted.set(head, made);
  return made;
}

interface Drawing {
  readonly camera: CameraValues;
  readonly rgb: Uint8Array;
  readonly matte: Uint8Array;
  readonly height: Float32Array;
  /** 0 left of the chin in the picture, 1 right of it. */
  readonly side: Uint8Array;
  /** Where the head without its hair is drawn. */
  readonly bare: Uint8Array;
  /** 1 where hair of this length is seen. */
  hairAt(length: number): Uint8Array;
}

function drawingOf(head: Head, { photo, camera, positions, chin }: HangView, motion: Float32Array, control: Int32Array): Drawing {
  const scale = Math.min(1, SIDE / Math.max(photo.width, photo.height));
  const [width, height] = [Math.max(1, Math.round(photo.width * scale)), Math.max(1, Math.round(photo.height * scale))];
  const small = resizedCamera(camera, width, height);
  const rgb = new Uint8Array(3 * width * height);
  const matte = new Uint8Array(width * height);
  const heightOf = faceHeight(small, chin);
  const heights = new Float32Array(width * height);
  const side = new Uint8Array(width * height);
  const middle = projectPoint(small, chin)?.[0] ?? width / 2;
  for (let i = 0; i < matte.length; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    const from = Math.floor(((y + 0.5) / height) * photo.height) * photo.width + Math.floor(((x + 0.5) / width) * photo.width);
    rgb.set(photo.rgb.subarray(3 * from, 3 * from + 3), 3 * i);
    matte[i] = photo.matte[from]!;
    heights[i] = heightOf(x, y);
    side[i] = x < middle ? 0 : 1;
  }
  const depthOf = (shape: Float32Array, drawn: Uint32Array): Float32Array => {
    const depth = new Float32Array(width * height);
    const mesh = { positions: shape, source: head.source, uv: null, triangles: drawn };
    addon().renderMesh(mesh, small, LOOK, control, new Uint8Array(4 * width * height), depth);
    return depth;
  };
  const { strands, rest } = trianglesOf(head);
  const before = depthOf(positions, rest);
  return {
    ...{ camera: small, rgb, matte, height: heights, side },
    bare: Uint8Array.from(before, (depth) => (Number.isFinite(depth) ? 1 : 0)),
    hairAt(length) {
      const shape = new Float32Array(positions.length);
      for (let i = 0; i < shape.length; i++) shape[i] = positions[i]! + length * motion[i]!;
      const depth = depthOf(shape, strands);
      const seen = new Uint8Array(depth.length);
      for (let i = 0; i < seen.length; i++) seen[i] = depth[i]! < before[i]! ? 1 : 0;
      return seen;
    },
  };
}

const LOOK = {
  ...{ shading: 'clay' as const, supersample: 1, cullBack: false, background: new Uint8Array(4) },
  ...{ colours: null, texture: null, textureWidth: 0, textureHeight: 0 },
};

/** Log odds of each pixel for hair, less what chance would make of them; null where the hair's colour cannot be learnt. */
function evidence(drawing: Drawing, now: Uint8Array): Float32Array | null {
  const { rgb, matte, height, bare, camera } = drawing;
  const longest = drawing.hairAt(LONGEST);
  const perCm = camera.focal / -camera.translation[2]!;
  const certain = (i: number): boolean => matte[i]! >= 200;
  const near = nearAny(
    longest.map((hair, i) => hair | bare[i]!),
    camera.width,
    camera.height,
    Math.max(1, Math.round(BESIDE * perCm)),
  );
  const elsewhere = (i: number): boolean => matte[i]! < 64 && near[i] === 0;
  const skin = colourTable(
    rgb,
    (i) => certain(i) && bare[i] === 1 && now[i] === 0 && height[i]! > CHEEKS && height[i]! < FOREHEAD,
  );
  const looksSkin = (i: number): boolean => skin.count >= FEWEST && skin.of(i) > 1;
  const hair = colourTable(rgb, (i) => certain(i) && now[i] === 1 && height[i]! > FOREHEAD && !looksSkin(i));
  if (hair.count < FEWEST) return null;
  const others = [
    skin,
    colourTable(rgb, (i) => elsewhere(i) && height[i]! > 0),
    colourTable(rgb, (i) => elsewhere(i) && height[i]! <= 0),
  ].filter(({ count }) => count >= FEWEST);
  const alone = Float32Array.from(matte, (_, i) => {
    if (!(height[i]! < BELOW)) return 0;
    const ratio = hair.of(i) - Math.max(-20, ...others.map((other) => other.of(i)));
    return Math.min(FOR, Math.max(-AGAINST, ratio));
  });
  const reach = Math.round(STRAY * perCm);
  const odds = alone.map((value, i) => {
    const row = i - (i % camera.width);
    let most = value;
    for (let k = Math.max(row, i - reach); k <= Math.min(row + camera.width - 1, i + reach); k++)
      most = Math.max(most, alone[k]!);
    return most;
  });
  const known = likeBackdrop(odds, elsewhere, drawing);
  return withoutGap(
    odds.map((value, i) => value - known(i)),
    longest.map((hair, i) => (now[i] === 0 ? hair : 0)),
    height,
  );
}

/**
 * A backdrop of the hair's colour passes for hair as often beside it as where no hair can be: at the same height, on the same side.
 * @returns what to take off a pixel's odds.
 */
function likeBackdrop(odds: Float32Array, elsewhere: (i: number) => boolean, { height, side }: Drawing): (i: number) => number {
  const bandOf = (i: number): number => 2 * Math.floor((BELOW - height[i]!) / BAND) + side[i]!;
  const passing = new Map<number, { sum: number; count: number }>();
  const all = { sum: 0, count: 0 };
  for (let i = 0; i < odds.length; i++) {
    if (!elsewhere(i) || !(height[i]! < BELOW)) continue;
    const band = passing.get(bandOf(i)) ?? { sum: 0, count: 0 };
    passing.set(bandOf(i), band);
    for (const one of [band, all]) {
      one.sum += Math.max(0, odds[i]!);
      one.count += 1;
    }
  }
  return (i) => {
    const { sum, count } = passing.get(bandOf(i)) ?? all;
    return (DOUBTED * sum) / Math.max(1, count);
  };
}

/** Hair hangs from above: below a gap in it dark things are clothes, and speak against hair. @param hair where the longest hair would be. */
function withoutGap(odds: Float32Array, hair: Uint8Array, height: Float32Array): Float32Array {
  const bands: number[] = [];
  for (let i = 0; i < odds.length; i++) {
    if (hair[i] === 0 || !(height[i]! < BELOW)) continue;
    const band = Math.floor((BELOW - height[i]!) / BAND);
    while (bands.length <= band) bands.push(0);
    bands[band]! += odds[i]!;
  }
  const first = bands.findIndex((sum, k) => !(sum > 0) && !(k + 1 < bands.length && bands[k + 1]! > 0 && k > 0));
  const end = first < 0 ? -Infinity : BELOW - first * BAND;
  return odds.map((value, i) => (height[i]! < end ? Math.min(value, -AGAINST) : value));
}
