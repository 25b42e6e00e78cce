import tap from 'tap';
import { baseTexture } from './base_texture.js';
import { projectPoint } from './camera.js';
import { DEMO_SEED } from './demo/seed.js';
import { demoPhoto } from './demo/write_input.js';
import { fillHair } from './hair_fill.js';
import { type HangView, hairLength, hairLengthMode, withHairLength } from './hair_length.js';
import { hairShell } from './hair_shell.js';
import { embeddedHead, shapeOf } from './head.js';
import { paintByPosition } from './uv_paint.js';

const head = embeddedHead();
const mode = hairLengthMode(head);
const control = new Int32Array(new SharedArrayBuffer(12));

/** A synthetic person's photo, with the head that they would have with short hair. */
function photoOf(person: number): HangView & { readonly length: number } {
  const { rgb, mask, camera, identity, expression } = demoPhoto(person, 0, { seed: DEMO_SEED }, { texture: 512 });
  const short = identity.slice();
  short[mode] = 0;
  const positions = shapeOf(head, short, expression);
  const at = 3 * head.info.landmarks[8]!;
  const photo = { rgb, matte: mask, width: camera.width, height: camera.height };
  return { photo, camera, positions, chin: [...positions.subarray(at, at + 3)], bare: 0, length: identity[mode]! };
}

tap.test('hanging hair is found as long as it is, by its colour', (t) => {
  for (const person of [4, 9, 18]) {
    const view = photoOf(person);
    t.ok(view.length > 1.5);
    const found = hairLength(head, [view], control);
    t.ok(Math.abs(found - view.length) < 0.8, `person ${person + 1}: ${found.toFixed(1)} for ${view.length.toFixed(1)}`);
    t.equal(hairLength(head, [{ ...view, bare: 1 }], control), 0, 'a bare scalp has none');
  }
  t.end();
});

tap.test('short hair hangs nowhere, not even before a backdrop of its own colour', (t) => {
  for (const person of [1, 5, 11]) {
    const view = photoOf(person);
    t.equal(view.length, 0);
    t.equal(hairLength(head, [view], control), 0, `person ${person + 1}`);
  }
  t.equal(hairLength(head, [], control), 0);
  t.end();
});

tap.test('dark clothes below a gap are no hair', (t) => {
  const view = photoOf(1);
  const { rgb, matte, width } = view.photo;
  const [x, y] = projectPoint(view.camera, view.chin)!;
  const perCm = view.camera.focal / -view.camera.translation[2]!;
  const top = matte.indexOf(255) + 30 * width;
  for (let i = 0; i < matte.length; i++) {
    const [dx, dy] = [((i % width) - x) / perCm, (Math.floor(i / width) - y) / perCm];
    if (Math.abs(dx) < 8.5 && dy > -1 && dy < 8) rgb.copyWithin(3 * i, 3 * top, 3 * top + 3);
  }
  t.equal(hairLength(head, [view], control), 0);
  t.end();
});

tap.test('long hair moves the shell alone, down', (t) => {
  const mean = shapeOf(head, new Float32Array(0));
  const long = withHairLength(head, mean, 2);
  t.equal(withHairLength(head, mean, 0), mean);
  const hair = new Set(hairShell(head, 128).stand.map((one) => one.hair / 3));
  let lowest = 0;
  for (let p = 0; p < head.info.positionCount; p++) {
    const down = mean[3 * p + 1]! - long[3 * p + 1]!;
    if (hair.has(p)) lowest = Math.max(lowest, down);
    else if (down !== 0) t.fail(`position ${p} is no hair and moves`);
  }
  t.ok(lowest > 8 && lowest < 12, `${lowest.toFixed(1)} cm`);
  t.end();
});

const SIZE = 256;

tap.test('hair that hangs is hair to its end: only where it lies on the scalp does it thin out', (t) => {
  const mean = shapeOf(head, new Float32Array(0));
  const shell = hairShell(head, SIZE);
  const darkAt = (positions: Float32Array): number => {
    const texture = baseTexture(head, SIZE).slice();
    const mesh = { positions: mean, source: head.source, uv: head.uv, triangles: head.triangles };
    for (const { name, firstTriangle, triangleCount } of head.info.parts) {
      const range = [firstTriangle, firstTriangle + triangleCount] as const;
      if (name === 'skin') paintByPosition(mesh, range, texture, SIZE, () => [220, 180, 160]);
      if (name === 'hair') paintByPosition(mesh, range, texture, SIZE, () => [60, 40, 30]);
    }
    const observed = new Uint8Array(SIZE * SIZE);
    for (const [i, texel] of shell.texels.entries()) if (shell.height[i]! > 8) observed[texel] = 255;
    fillHair(head, texture, observed, SIZE, [], positions);
    // The shell's lower edge behind the ears.
    const edge = [...shell.texels.keys()].filter((i) => shell.border[i]! < 0.4 && shell.height[i]! < -1);
    return edge.filter((i) => texture[4 * shell.texels[i]!]! < 110).length / edge.length;
  };
  const [short, long] = [darkAt(mean), darkAt(withHairLength(head, mean, 2))];
  t.ok(short < 0.1, `on the scalp: ${short.toFixed(2)}`);
  t.ok(long > 0.9, `hanging: ${long.toFixed(2)}`);
  t.end();
});
