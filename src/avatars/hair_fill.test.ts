import tap from 'tap';
import { baseTexture } from './base_texture.js';
import { fillHair } from './hair_fill.js';
import { hairShell } from './hair_shell.js';
import { embeddedHead, shapeOf } from './head.js';
import { paintByPosition, visitTexels } from './uv_paint.js';

const SIZE = 256;
type Rgb = readonly [number, number, number];
const SKIN: Rgb = [220, 180, 160];
const HAIR: Rgb = [60, 40, 30];

/**
 * The atlas as photos from the front leave it: skin in one tone, seen at the front; the front half of the hair shell seen in the colour that `shell`
 * gives it.
 */
function seenFromFront(shell: (x: number, y: number, z: number) => Rgb, share = 255, rim: readonly Rgb[] = []) {
  const head = embeddedHead();
  const texture = baseTexture(head, SIZE).slice();
  const marks = new Uint8Array(texture.length);
  const mesh = { positions: shapeOf(head, new Float32Array(0)), source: head.source, uv: head.uv, triangles: head.triangles };
  for (const { name, firstTriangle, triangleCount } of head.info.parts) {
    if (name !== 'skin' && name !== 'hair') continue;
    const range = [firstTriangle, firstTriangle + triangleCount] as const;
    paintByPosition(mesh, range, texture, SIZE, (x, y, z) => (name === 'skin' ? SKIN : z > -4 ? shell(x, y, z) : null));
    paintByPosition(mesh, range, marks, SIZE, (_x, _y, z) => (z > -4 ? [255, 0, 0] : [1, name === 'hair' ? 255 : 0, 0]));
  }
  const observed = Uint8Array.from({ length: SIZE * SIZE }, (_, i) => (marks[4 * i] === 255 ? share : 0));
  const hair = fillHair(head, texture, observed, SIZE, rim);
  const back = [...observed.keys()].filter((i) => marks[4 * i] === 1 && marks[4 * i + 1] === 255);
  const shade = ([r, g, b]: ArrayLike<number> & Iterable<number>): number => r! + g! + b!;
  const toColor = (i: number): Rgb => [texture[4 * i]!, texture[4 * i + 1]!, texture[4 * i + 2]!];
  const middle = [0, 1, 2].map((c) => back.map((i) => texture[4 * i + c]!).sort((p, q) => p - q)[back.length >> 1]!);
  return {
    hair,
    texels: back.length,
    is: (color: Rgb) => Math.hypot(...middle.map((value, c) => value - color[c]!)) < 12,
    /** Brightness of the shell's texels behind, darkest first. */
    shades: back.map((i) => shade(toColor(i))).sort((p, q) => p - q),
    /** Mean brightness of those within these distances of the shell's edge, cm. */
    meanShade(from: number, to: number): number {
      const { texels, border } = hairShell(head, SIZE);
      const inside = new Set(back);
      const found = [...texels.keys()].filter((i) => inside.has(texels[i]!) && border[i]! >= from && border[i]! < to);
      return found.reduce((sum, i) => sum + shade(toColor(texels[i]!)), 0) / found.length;
    },
  };
}

const sum = (color: Rgb): number => color[0] + color[1] + color[2];

tap.test('unseen hair takes the colour of the hair in the photos, in strands', (t) => {
  const back = seenFromFront(() => HAIR);
  t.equal(back.hair, 'photo');
  t.ok(back.texels > 100);
  t.ok(back.is(HAIR));
  const [dark, light] = [0.1, 0.5].map((share) => back.shades[Math.floor(share * back.texels)]!) as [number, number];
  t.ok(light - dark > 8, 'lighter and darker strands');
  t.end();
});

tap.test('hair thins out over the skin towards its edge', (t) => {
  const back = seenFromFront(() => HAIR);
  const [edge, near, deep] = [back.meanShade(0, 0.25), back.meanShade(0.5, 0.9), back.meanShade(2, 9)];
  t.ok(Math.abs(edge - sum(SKIN)) < 60, 'skin at the edge');
  t.ok(near < edge - 60 && near > deep + 30, 'between the two on the way');
  t.ok(Math.abs(deep - sum(HAIR)) < 40, 'hair within');
  t.end();
});

tap.test('a bald head has the tone of its scalp all over, without a cap', (t) => {
  const back = seenFromFront(() => SKIN);
  t.equal(back.hair, 'bald');
  t.ok(back.is(SKIN));
  t.ok(back.shades[back.texels - 1]! - back.shades[0]! < 12);
  t.end();
});

tap.test('a bald head half in shadow has none either', (t) => {
  const shadow = SKIN.map((value) => 0.5 * value) as unknown as Rgb;
  const lit = SKIN.map((value) => 1.1 * value) as unknown as Rgb;
  const back = seenFromFront((x) => (x > 1 ? shadow : lit));
  t.equal(back.hair, 'bald');
  t.ok(back.is(SKIN));
  t.end();
});

tap.test('hair that no photo saw is said to be a guess', (t) => {
  t.equal(seenFromFront(() => HAIR, 0).hair, 'prior');
  t.end();
});

tap.test('behind a receding hairline there is hair', (t) => {
  t.ok(seenFromFront((x) => (Math.abs(x) > 5 ? HAIR : SKIN)).is(HAIR));
  t.end();
});

tap.test('a forehead seen from the front is no bald head where its outline is hair', (t) => {
  const outline = (hair: number): Rgb[] => Array.from({ length: 100 }, (_, i) => (i < hair ? HAIR : SKIN));
  const receding = seenFromFront(() => SKIN, 255, outline(60));
  t.equal(receding.hair, 'photo');
  t.ok(receding.is(HAIR));
  const bald = seenFromFront(() => SKIN, 255, outline(10));
  t.equal(bald.hair, 'bald', 'a shadow along a tenth of it is no hair');
  t.ok(bald.is(SKIN));
  t.end();
});

tap.test('a lamp on the forehead is no white hair where the outline is dark; white hair is', (t) => {
  const lamp: Rgb = [253, 252, 246];
  const rim = (color: Rgb) => Array.from({ length: 400 }, () => color);
  const dark = seenFromFront((_x, y) => (y < 8 ? lamp : SKIN), 255, rim(HAIR));
  t.ok(dark.hair === 'photo' && dark.is(HAIR), 'dark behind');
  const white = seenFromFront(() => lamp, 255, rim(lamp));
  t.ok(white.hair === 'photo' && white.is(lamp), 'white behind');
  t.end();
});

tap.test('dark hair over dark skin is told by its place', (t) => {
  const dark = SKIN.map((value) => 0.4 * value) as unknown as Rgb;
  t.ok(seenFromFront((_x, y) => (y > 8 ? dark : SKIN)).is(dark));
  t.end();
});

tap.test('hair that grows into the gaps of the atlas leaves the skin beside it alone', (t) => {
  const head = embeddedHead();
  const size = 512;
  const texture = baseTexture(head, size).slice();
  const skin: number[] = [];
  const hair = new Set(hairShell(head, size).texels);
  const mesh = { positions: shapeOf(head, new Float32Array(0)), source: head.source, uv: head.uv, triangles: head.triangles };
  const { firstTriangle, triangleCount } = head.info.parts.find(({ name }) => name === 'skin')!;
  visitTexels(mesh, [firstTriangle, firstTriangle + triangleCount], size, (texel) => {
    if (!hair.has(texel)) skin.push(texel);
  });
  for (const texel of skin) texture.set(SKIN, 4 * texel);
  fillHair(head, texture, new Uint8Array(size * size), size);
  t.ok(
    skin.every((texel) => SKIN.every((value, c) => texture[4 * texel + c] === value)),
    'the lower edge of the neck too',
  );
  t.end();
});
