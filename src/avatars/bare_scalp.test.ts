import tap from 'tap';
import type { CameraValues } from '../core/addon/index.js';
import { bareScalp } from './bare_scalp.js';

const SIZE = 200;
/** The eyes' middle falls on (100, 110), the chin on (100, 160): a face is 50 px high and the forehead begins at row 100. */
const camera: CameraValues = {
  rotation: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
  translation: Float32Array.of(0, 0, -100),
  focal: 500,
  center: Float32Array.of(100, 110),
  width: SIZE,
  height: SIZE,
};
const CHIN = [0, -10, 0] as const;

/** A round head, its top on row 50, skin below `hairline` and something dark above. */
function portrait(hairline: number, shown = 0) {
  const rgb = new Uint8Array(3 * SIZE * SIZE);
  const matte = new Uint8Array(SIZE * SIZE);
  for (let y = shown; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const i = y * SIZE + x;
      const head = Math.hypot(x - 100, 1.2 * Math.min(0, y - 100)) < 50 && y < 165;
      matte[i] = head ? 255 : 0;
      // Brighter where it is lit from above, and mixed with noise.
      const light = 0.8 + (SIZE - y) / 700 + 0.04 * Math.sin(7 * x + 3 * y);
      rgb.set(head ? (y < hairline ? [52, 38, 30] : [200, 155, 135]).map((value) => value * light) : [90, 120, 180], 3 * i);
    }
  }
  return { rgb, matte, width: SIZE, height: SIZE };
}

tap.test('a bald head is bare, one with hair is not, however high its forehead', (t) => {
  t.equal(bareScalp(portrait(0), camera, CHIN), 1);
  for (const hairline of [70, 90, 110]) t.equal(bareScalp(portrait(hairline), camera, CHIN), 0, `hair down to row ${hairline}`);
  t.end();
});

tap.test('a photo that ends at the brows says nothing', (t) => {
  t.equal(bareScalp(portrait(0, 98), camera, CHIN), 0);
  t.end();
});
