import sharp from 'sharp';
import tap from 'tap';
import { orbitCamera } from './camera.js';
import { writeGlb } from './export/glb.js';
import { spheres } from './export/spheres.test.fixture.js';
import { fieldPhoto } from './field_photo.js';
import { QUALITY } from './options.js';
import { surfaceOfGlb } from './surface.js';
import { fieldBox, generator, supervisedViews } from './volume.js';

const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#c04020' } })
  .png()
  .toBuffer();
const surface = await surfaceOfGlb(await writeGlb(spheres(), { bytes: new Uint8Array(png), mime: 'image/png' }, 'p'));

tap.test('supervised views surround the head and agree in colour, opacity and depth', async (t) => {
  const views = supervisedViews(surface, { ...QUALITY.draft, supervisedSize: 32 }, 1, null);
  t.equal(views.length, QUALITY.draft.supervisedViews);
  let front = 0;
  for (const view of views) {
    t.equal(view.source, 'supervised');
    const middle = 16 * 32 + 16;
    const depth = view.depth![middle]!;
    t.ok(depth > 95 && depth < 108, `depth ${depth} of a sphere of 9 cm seen from 110 cm`);
    t.ok(Math.abs((view.rgb[3 * middle]! as number) - 0xc0) < 3);
    t.equal(view.alpha![middle], 255);
    t.equal(view.alpha![0], 0);
    t.equal(view.depth![0], Infinity);
    if (view.camera.rotation[8]! > 0) front++;
  }
  t.ok(front >= 0.7 * views.length && front < views.length, `${front} of ${views.length} look at the face`);
  t.same(
    supervisedViews(surface, QUALITY.draft, 7, null)[3]!.camera,
    supervisedViews(surface, QUALITY.draft, 7, null)[3]!.camera,
  );
});

tap.test('a photo takes the light of the texture, and nothing but hair is added outside the head', async (t) => {
  const camera = orbitCamera(surface.box, 0, 0, 200);
  const flat = { width: 200, height: 200, matte: new Uint8Array(40000).fill(255) };
  // Half as bright as the texture, a dark freckle in the middle; the matte covers everything but a hole in the face.
  const rgb = new Uint8Array(120000);
  for (let i = 0; i < 40000; i++) rgb.set([0x60, 0x20, 0x10], 3 * i);
  for (const [x, y] of [
    [100, 100],
    [101, 100],
    [100, 101],
    [101, 101],
  ] as const)
    rgb.set([10, 5, 2], 3 * (200 * y + x));
  for (let y = 70; y < 80; y++) flat.matte.fill(0, 200 * y + 70, 200 * y + 80);
  const view = await fieldPhoto({ ...flat, rgb }, camera, surface, [0, -4, 8], 100, null);
  t.same([view.camera.width, view.camera.height], [100, 100]);
  const at = (x: number, y: number): number => view.rgb[3 * (100 * y + x)] as number;
  t.ok(Math.abs(at(40, 55) - 0xc0) < 12, `skin ${at(40, 55)} in the light of the texture`);
  t.ok(at(50, 50) < 60, 'the freckle stays');
  t.ok(Math.abs(at(37, 37) - 0xc0) < 6, 'what covers the face is not learnt');
  t.equal(view.alpha![100 * 37 + 37], 255);
  t.equal(view.alpha![100 * 3 + 50], 255, 'hair above the head');
  t.equal(view.alpha![100 * 97 + 50], 0, 'clothes below the chin');
});

tap.test('the box leaves room for hair; random numbers are uniform and repeat', async (t) => {
  t.ok(fieldBox(surface).max[1] > surface.box.max[1] + 1);
  const random = generator(3);
  const values = Array.from({ length: 4000 }, random);
  t.ok(Math.abs(values.reduce((sum, value) => sum + value, 0) / 4000 - 0.5) < 0.02);
  const again = generator(3);
  t.same(values.slice(0, 5), Array.from({ length: 5 }, again));
});
