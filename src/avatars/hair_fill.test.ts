import tap from 'tap';
import { baseTexture } from './base_texture.js';
import { fillHair } from './hair_fill.js';
import { embeddedHead, shapeOf } from './head.js';
import { paintByPosition } from './uv_paint.js';

const SIZE = 256;
type Rgb = readonly [number, number, number];
const SKIN: Rgb = [220, 180, 160];
const HAIR: Rgb = [60, 40, 30];

/** The atlas as photos from the front leave it: skin seen, the front half of the hair shell seen in the colour that `shell` gives it. */
function seenFromFront(shell: (x: number, y: number, z: number) => Rgb) {
  const head = embeddedHead();
  const texture = baseTexture(head, SIZE).slice();
  const marks = new Uint8Array(texture.length);
  const mesh = { positions: shapeOf(head, new Float32Array(0)), source: head.source, uv: head.uv, triangles: head.triangles };
  for (const { name, firstTriangle, triangleCount } of head.info.parts) {
    if (name !== 'skin' && name !== 'hair') continue;
    const range = [firstTriangle, firstTriangle + triangleCount] as const;
    const front = (color: (x: number, y: number, z: number) => Rgb) => (x: number, y: number, z: number) =>
      z > -4 ? color(x, y, z) : null;
    paintByPosition(mesh, range, texture, SIZE, front(name === 'skin' ? () => SKIN : shell));
    paintByPosition(mesh, range, marks, SIZE, (_x, _y, z) => (z > -4 ? [255, 0, 0] : [1, name === 'hair' ? 255 : 0, 0]));
  }
  const observed = Uint8Array.from({ length: SIZE * SIZE }, (_, i) => (marks[4 * i] === 255 ? 255 : 0));
  fillHair(head, texture, observed, SIZE);
  const back = [...observed.keys()].filter((i) => marks[4 * i] === 1 && marks[4 * i + 1] === 255);
  const mean = [0, 1, 2].map((c) => back.reduce((sum, i) => sum + texture[4 * i + c]!, 0) / back.length);
  return { texels: back.length, is: (color: Rgb) => Math.hypot(...mean.map((value, c) => value - color[c]!)) < 12 };
}

tap.test('unseen hair takes the colour of the hair in the photos', (t) => {
  const back = seenFromFront(() => HAIR);
  t.ok(back.texels > 100);
  t.ok(back.is(HAIR));
  t.end();
});

tap.test('a bald head has no cap', (t) => {
  t.ok(seenFromFront(() => SKIN).is(SKIN));
  t.end();
});

tap.test('a bald head half in shadow has none either', (t) => {
  const shadow = SKIN.map((value) => 0.5 * value) as unknown as Rgb;
  const lit = SKIN.map((value) => 1.1 * value) as unknown as Rgb;
  t.ok(seenFromFront((x) => (x > 1 ? shadow : lit)).is(lit));
  t.end();
});

tap.test('behind a receding hairline there is hair', (t) => {
  t.ok(seenFromFront((x) => (Math.abs(x) > 5 ? HAIR : SKIN)).is(HAIR));
  t.end();
});

tap.test('dark hair over dark skin is told by its place', (t) => {
  const dark = SKIN.map((value) => 0.4 * value) as unknown as Rgb;
  t.ok(seenFromFront((_x, y) => (y > 8 ? dark : SKIN)).is(dark));
  t.end();
});
