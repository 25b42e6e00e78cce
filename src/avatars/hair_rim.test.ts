import tap from 'tap';
import { rimColors } from './hair_rim.js';

/** A head as a disc of 9 cm before a camera that sees 10 pixels a centimetre: hair within 2 cm of its edge, skin elsewhere. */
const SIZE = 240;
const CHIN = [0, -7, 0] as const;
const camera = {
  rotation: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
  translation: Float32Array.of(0, 0, -100),
  focal: 1000,
  center: Float32Array.of(SIZE / 2, SIZE / 2),
  width: SIZE,
  height: SIZE,
};

function disc(hair: (x: number, y: number) => boolean) {
  const rgb = new Uint8Array(3 * SIZE * SIZE);
  const matte = new Uint8Array(SIZE * SIZE);
  for (let i = 0; i < matte.length; i++) {
    const [x, y] = [((i % SIZE) + 0.5 - SIZE / 2) / 10, (SIZE / 2 - Math.floor(i / SIZE) - 0.5) / 10];
    if (Math.hypot(x, y) > 9) continue;
    matte[i] = 255;
    rgb.fill(hair(x, y) ? 20 : 200, 3 * i, 3 * i + 3);
  }
  return { rgb, matte, width: SIZE, height: SIZE };
}

tap.test('the outline above the brows is looked at, not what it encloses', (t) => {
  const colors = rimColors(
    disc((x, y) => Math.hypot(x, y) > 7),
    camera,
    CHIN,
  );
  t.ok(colors.length > 300 && colors.length <= 4000, `${colors.length} pixels`);
  t.ok(colors.every(([r]) => r === 20));
  t.end();
});

tap.test('a beard is below the brows, and a picture without a head has no outline', (t) => {
  const bearded = rimColors(
    disc((_x, y) => y < 2),
    camera,
    CHIN,
  );
  t.ok(bearded.length > 300 && bearded.every(([r]) => r === 200));
  const empty = { rgb: new Uint8Array(3 * SIZE * SIZE), matte: new Uint8Array(SIZE * SIZE), width: SIZE, height: SIZE };
  t.same(rimColors(empty, camera, CHIN), []);
  const full = { ...empty, matte: new Uint8Array(SIZE * SIZE).fill(255) };
  t.same(rimColors(full, camera, CHIN), [], 'the border of a picture is not the outline of a head');
  t.end();
});
