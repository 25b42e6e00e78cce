import { unmirrored } from '../../vision/look.js';
import { intoWindow, mirroredCamera, type Window, windowCamera } from './camera.js';
import type { Picture } from './picture.js';
import type { Draws } from './random.js';
import { blur, gain, noise } from './tone.js';
import { cutWindow, mirrored } from './window.js';

/** What is done to a photo, in this order: mirror, window, blur, gain, noise, JPEG. */
export interface Variation {
  readonly mirror: boolean;
  /** In the photo, mirrored where it is. */
  readonly window: Window;
  /** Standard deviation in pixels; 0 none. */
  readonly blur: number;
  /** Factors of linear red, green, blue. */
  readonly gain: readonly [number, number, number];
  /** Standard deviation, of 255; 0 none. */
  readonly noise: number;
  /** Quality, where the variant is saved more coarsely than photos are. */
  readonly jpeg: number | null;
}

const MOST_TURN = 0.44;
const LEAST_CROP = 0.8;
/** Places tried for a crop until all landmarks are in it. */
const TRIES = 24;

/** At least one thing is done, and no landmark that the photo shows is cut off. */
export function drawVariation(photo: Picture, draws: Draws): Variation {
  const turn = draws.chance(0.5) ? draws.uniform(-MOST_TURN, MOST_TURN) : 0;
  const crop = draws.chance(0.5) ? draws.uniform(LEAST_CROP, 0.95) : 1;
  const drawn = draws.chance(0.5) || (turn === 0 && crop === 1);
  const warm = 2 ** draws.uniform(-0.25, 0.25);
  const light = draws.chance(0.5) ? 2 ** draws.uniform(-0.8, 0.6) : null;
  // A face that fills the photo leaves no room to turn it in: it is mirrored as it is.
  const window = drawWindow(photo, drawn, turn, crop, draws);
  return {
    mirror: drawn || window === null,
    window: window ?? { centerX: photo.side / 2, centerY: photo.side / 2, side: photo.side, turn: 0 },
    blur: draws.chance(0.3) ? (photo.side / 1024) * draws.uniform(0.8, 3) : 0,
    gain: light === null ? [1, 1, 1] : [light * warm, light, light / warm],
    noise: draws.chance(0.35) ? draws.uniform(2, 10) : 0,
    jpeg: draws.chance(0.5) ? 30 + draws.below(50) : null,
  };
}

/** The largest square that the turned photo fills, so that no pixel is invented, or the given share of it; null where landmarks do not fit. */
function drawWindow(photo: Picture, mirror: boolean, turn: number, crop: number, draws: Draws): Window | null {
  const spread = Math.abs(Math.cos(turn)) + Math.abs(Math.sin(turn));
  const side = Math.floor((crop * photo.side) / spread);
  const reach = (side * spread) / 2;
  const points = mirror ? mirroredPoints(photo) : photo.landmarks;
  // Windows that are not turned lie on whole pixels.
  const placed = (at: number): number => (turn === 0 ? Math.round(at - side / 2) + side / 2 : at);
  for (let tries = 0; tries < TRIES; tries++) {
    const centerX = placed(draws.uniform(reach, photo.side - reach));
    const centerY = placed(draws.uniform(reach, photo.side - reach));
    const window = { centerX, centerY, side, turn };
    if (allInside(points, window)) return window;
  }
  return null;
}

function allInside(points: Float32Array, window: Window): boolean {
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = intoWindow(window, points[i]!, points[i + 1]!);
    if (x < 0 || y < 0 || x > window.side || y > window.side) return false;
  }
  return true;
}

/** Landmarks in the mirrored photo, by the names of the side that they now lie on. */
function mirroredPoints({ landmarks, side }: Pick<Picture, 'landmarks' | 'side'>): Float32Array {
  return unmirrored(landmarks.map((value, i) => (i % 2 === 0 ? side - value : value)));
}

/**
 * The varied photo with its truth.
 * @param names of the expressions, for left and right.
 * @param check called every few milliseconds; what it throws ends it.
 */
export function varied(
  photo: Picture,
  { mirror, window, ...tones }: Variation,
  names: readonly string[],
  draws: Draws,
  check: () => void = () => {},
): Picture {
  const whole: Picture = mirror
    ? {
        side: photo.side,
        rgb: mirrored(photo.rgb, photo.side, 3),
        mask: mirrored(photo.mask, photo.side, 1),
        camera: mirroredCamera(photo.camera),
        landmarks: mirroredPoints(photo),
        expression: mirroredExpression(photo.expression, names),
      }
    : photo;
  const landmarks = new Float32Array(whole.landmarks.length);
  for (let i = 0; i < landmarks.length; i += 2)
    landmarks.set(intoWindow(window, whole.landmarks[i]!, whole.landmarks[i + 1]!), i);
  const rgb = cutWindow(whole.rgb, whole.side, 3, window, check);
  if (tones.blur > 0) blur(rgb, window.side, tones.blur, check);
  if (tones.gain.some((factor) => factor !== 1)) gain(rgb, tones.gain);
  if (tones.noise > 0) noise(rgb, tones.noise, draws);
  return {
    side: window.side,
    rgb,
    mask: cutWindow(whole.mask, whole.side, 1, window, check),
    camera: windowCamera(whole.camera, window),
    landmarks,
    expression: whole.expression,
  };
}

/** A smile of the left becomes one of the right. */
function mirroredExpression(expression: Float32Array, names: readonly string[]): Float32Array {
  return expression.map((value, i) => {
    const name = names[i]!;
    const other = name.endsWith('Left') ? name.replace(/Left$/, 'Right') : name.replace(/Right$/, 'Left');
    const at = names.indexOf(other);
    return at < 0 ? value : expression[at]!;
  });
}

/** [2][3]: where a pixel position of the photo lies in the variant, (x, y, 1) ↦ rows · it. */
export function matrixOf({ mirror, window }: Variation, photoSide: number): number[][] {
  const origin = intoWindow(window, mirror ? photoSide : 0, 0);
  const right = intoWindow(window, mirror ? photoSide - 1 : 1, 0);
  const down = intoWindow(window, mirror ? photoSide : 0, 1);
  return [0, 1].map((k) => [right[k]! - origin[k]!, down[k]! - origin[k]!, origin[k]!]);
}
