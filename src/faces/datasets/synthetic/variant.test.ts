import tap from 'tap';
import { intoWindow } from './camera.js';
import type { Picture } from './picture.js';
import { Draws } from './random.js';
import { blur, gain, noise } from './tone.js';
import { drawVariation, matrixOf, type Variation, varied } from './variant.js';

const SIDE = 200;

/** A picture whose red is the pixel's column and whose green is its row. */
function ramp(spread = 40): Picture {
  const rgb = new Uint8Array(3 * SIDE * SIDE);
  for (let y = 0; y < SIDE; y++) for (let x = 0; x < SIDE; x++) rgb.set([x, y, 90], 3 * (y * SIDE + x));
  const middle = Array.from({ length: 136 }, (_, i) => SIDE / 2 + ((i * 37) % spread) - spread / 2);
  const camera = {
    rotation: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
    translation: Float32Array.of(0, 0, -60),
    focal: 300,
    center: Float32Array.of(SIDE / 2, SIDE / 2),
    width: SIDE,
    height: SIDE,
  };
  const mask = rgb.filter((_, i) => i % 3 === 0);
  return { side: SIDE, rgb, mask, camera, landmarks: Float32Array.from(middle), expression: Float32Array.of(0.25, 0.75, 0.5) };
}

const NAMES = ['smileLeft', 'smileRight', 'jawOpen'];
const plain = { blur: 0, gain: [1, 1, 1], noise: 0, jpeg: null } as const;

tap.test('the stated matrix is what happened to the pixels, mirrored or not', (t) => {
  for (const mirror of [false, true]) {
    const variation: Variation = { mirror, window: { centerX: 96, centerY: 104, side: 110, turn: 0.35 }, ...plain };
    const picture = varied(ramp(), variation, NAMES, new Draws(1));
    const matrix = matrixOf(variation, SIDE);
    let worst = 0;
    for (let y = 0; y < 110; y++) {
      for (let x = 0; x < 110; x++) {
        const at = 3 * (y * 110 + x);
        // Colours are whole numbers: half a pixel each way.
        const from = [picture.rgb[at]! + 0.5, picture.rgb[at + 1]! + 0.5];
        const to = matrix.map(([a, b, c]) => a! * from[0]! + b! * from[1]! + c!);
        worst = Math.max(worst, Math.hypot(to[0]! - (x + 0.5), to[1]! - (y + 0.5)));
        if (picture.mask[y * 110 + x] !== picture.rgb[at]) t.fail('the mask is cut as the photo is');
      }
    }
    t.ok(worst < 0.75, `${mirror}: ${worst}`);
  }
  t.end();
});

tap.test('a window that is not turned holds the very pixels', (t) => {
  const variation: Variation = { mirror: true, window: { centerX: 80, centerY: 90, side: 120, turn: 0 }, ...plain };
  const { rgb, side } = varied(ramp(), variation, NAMES, new Draws(1));
  t.equal(side, 120);
  for (const [x, y] of [
    [0, 0],
    [119, 0],
    [7, 119],
  ] as const)
    t.same([...rgb.subarray(3 * (y * 120 + x), 3 * (y * 120 + x) + 2)], [SIDE - 1 - (20 + x), 30 + y]);
  t.end();
});

tap.test('a mirror exchanges left and right, of landmarks and expression', (t) => {
  const photo = ramp();
  const whole = { centerX: SIDE / 2, centerY: SIDE / 2, side: SIDE, turn: 0 };
  const { landmarks, expression, camera } = varied(photo, { mirror: true, window: whole, ...plain }, NAMES, new Draws(1));
  t.same([...expression], [0.75, 0.25, 0.5]);
  // Corners of the eyes, of the mouth, ends of the jaw and of the brows; the chin is its own.
  for (const [one, other] of [
    [36, 45],
    [39, 42],
    [48, 54],
    [60, 64],
    [0, 16],
    [17, 26],
    [31, 35],
    [8, 8],
  ] as const) {
    t.equal(landmarks[2 * one], SIDE - photo.landmarks[2 * other]!, `${one} was ${other}`);
    t.equal(landmarks[2 * one + 1], photo.landmarks[2 * other + 1]);
  }
  t.same([...camera.center], [SIDE / 2, SIDE / 2]);
  t.end();
});

tap.test('variations do something, stay within the photo and keep the face', (t) => {
  const photo = ramp();
  const seen = new Set<string>();
  for (let i = 0; i < 300; i++) {
    const draws = new Draws(5, i);
    const variation = drawVariation(photo, draws);
    const { mirror, window } = variation;
    if (mirror) seen.add('mirror');
    if (window.turn !== 0) seen.add('turn');
    if (window.side < SIDE && window.turn === 0) seen.add('crop');
    for (const name of ['blur', 'noise', 'jpeg'] as const) if (variation[name]) seen.add(name);
    if (variation.gain[0] !== 1) seen.add('gain');
    if (!mirror && window.turn === 0 && window.side === SIDE) t.fail('nothing is done');
    // The window's corners, in the photo: the inverse of intoWindow.
    for (const [x, y] of [
      [0, 0],
      [window.side, 0],
      [0, window.side],
      [window.side, window.side],
    ] as const) {
      const back = intoWindow({ ...window, turn: -window.turn, centerX: window.side / 2, centerY: window.side / 2 }, x, y);
      const [px, py] = back.map((value, k) => value - window.side / 2 + (k === 0 ? window.centerX : window.centerY));
      if (Math.min(px!, py!) < -0.01 || Math.max(px!, py!) > SIDE + 0.01) t.fail(`${i}: a corner at ${px}, ${py}`);
    }
    const { landmarks, side } = varied(photo, { ...variation, blur: 0, noise: 0 }, NAMES, draws);
    if (!landmarks.every((value) => value >= 0 && value <= side)) t.fail(`${i}: a landmark is cut off`);
  }
  t.same([...seen].sort(), ['blur', 'crop', 'gain', 'jpeg', 'mirror', 'noise', 'turn']);
  t.end();
});

tap.test('a face that fills the photo is never cut off', (t) => {
  const photo = ramp(190);
  for (let i = 0; i < 200; i++) {
    const draws = new Draws(7, i);
    const variation = drawVariation(photo, draws);
    const { landmarks, side } = varied(photo, { ...variation, blur: 0, noise: 0 }, NAMES, draws);
    if (!landmarks.every((value) => value >= 0 && value <= side)) t.fail(`${i}: a landmark is cut off`);
    if (!variation.mirror && variation.window.side === SIDE) t.fail('nothing is done');
  }
  t.end();
});

tap.test('light, blur and noise are as strong as they say', (t) => {
  const side = 64;
  const grey = () => new Uint8Array(3 * side * side).fill(100);
  const same = grey();
  gain(same, [1, 1, 1]);
  t.ok(same.every((value) => value === 100));
  const lit = grey();
  gain(lit, [2, 1, 0.5]);
  // 100 of 255 is 0.1274 of the light; twice and half of it are 0.542 and 0.280 in sRGB.
  t.same([...lit.subarray(0, 3)], [138, 100, 71]);

  const noisy = grey();
  noise(noisy, 6, new Draws(3));
  const mean = noisy.reduce((sum, value) => sum + value, 0) / noisy.length;
  const deviation = Math.sqrt(noisy.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noisy.length);
  t.ok(Math.abs(mean - 100) < 0.3 && Math.abs(deviation - 6) < 0.3, `${mean} ± ${deviation}`);

  const edge = grey().map((_, i) => (Math.floor(i / 3) % side < side / 2 ? 0 : 200));
  let rows = 0;
  blur(edge, side, 2, () => rows++);
  t.equal(rows, 2 * 3 * side, 'a cancel is heard at every row');
  // 0.75 and 1.25 standard deviations beyond an edge 77.3 % and 89.4 % of the step are left.
  const at = (x: number): number => edge[3 * (20 * side + x)]!;
  t.ok(Math.abs(at(33) - 200 * 0.773) < 3 && Math.abs(at(34) - 200 * 0.894) < 3, `${at(33)} ${at(34)}`);
  t.equal(at(0), 0);
  t.equal(at(side - 1), 200);
  t.end();
});
