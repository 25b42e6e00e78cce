import tap from 'tap';
import type { CameraValues } from '../core/addon/index.js';
import { withoutClothes } from './clothes.js';

const SIZE = 150;
/** Looks straight at the origin of head space, 1 px per 0.2 cm at its depth: the eyes' middle falls on (75, 50). */
const camera: CameraValues = {
  rotation: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
  translation: Float32Array.of(0, 0, -100),
  focal: 500,
  center: Float32Array.of(75, 50),
  width: SIZE,
  height: SIZE,
};
/** On (75, 100): a face is 50 px high, and the collar begins 13.5 px below the chin. */
const CHIN = [0, -10, 0] as const;

type Rgb = readonly [number, number, number];
const SKIN: Rgb = [210, 165, 145];

/** A head of skin (columns 45–105, down to the bottom) before a backdrop, painted over by `paint`. */
function portrait(paint: (x: number, y: number) => Rgb | null) {
  const rgb = new Uint8Array(3 * SIZE * SIZE);
  const matte = new Uint8Array(SIZE * SIZE);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const i = y * SIZE + x;
      const head = x >= 45 && x < 105 && y > 20;
      matte[i] = head ? 255 : 0;
      // Shading: a neck is darker than the cheeks.
      const shade = y > 100 ? 0.75 : 0.9 + x / 1000;
      const color = paint(x, y) ?? (head ? SKIN.map((value) => value * shade) : [90, 120, 180]);
      rgb.set(color, 3 * i);
    }
  }
  return { rgb, matte, width: SIZE, height: SIZE };
}

tap.test('a garment that rises from below the neck leaves the matte, up to its edge', (t) => {
  const dark = (x: number, y: number): Rgb | null => (y > 118 || (x > 85 && y > 104) ? [40, 42, 50] : null);
  const kept = withoutClothes(portrait(dark), camera, CHIN);
  const at = (x: number, y: number): number => kept[y * SIZE + x]!;
  t.equal(at(95, 108), 0, 'the strap above the collar line');
  t.equal(at(95, 104), 0, 'its edge');
  t.equal(at(75, 125), 0, 'below the collar line');
  t.equal(at(60, 108), 255, 'the neck beside it, in shadow');
  t.equal(at(95, 95), 255, 'the jaw above the chin');
  t.end();
});

tap.test('what skin surrounds stays, whatever its colour', (t) => {
  const letter = (x: number, y: number): Rgb | null => (x > 70 && x < 76 && y > 102 && y < 109 ? [30, 20, 20] : null);
  const kept = withoutClothes(portrait(letter), camera, CHIN);
  t.equal(kept[105 * SIZE + 73], 255);
  t.end();
});

tap.test('nothing but the collar line decides where no face is to be seen', (t) => {
  const { matte, ...photo } = portrait(() => null);
  const kept = withoutClothes({ ...photo, matte: matte.map((value, i) => (i < 101 * SIZE ? 0 : value)) }, camera, CHIN);
  t.equal(kept[108 * SIZE + 75], 255);
  t.equal(kept[120 * SIZE + 75], 0);
  t.end();
});
