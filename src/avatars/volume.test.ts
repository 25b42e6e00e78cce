import sharp from 'sharp';
import tap from 'tap';
import { orbitCamera } from './camera.js';
import { writeGlb } from './export/glb.js';
import { spheres } from './export/spheres.test.fixture.js';
import { QUALITY } from './options.js';
import { surfaceOfGlb } from './surface.js';
import { fieldBox, generator, photoView, supervisedViews } from './volume.js';

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

tap.test('a photo shrinks with its matte and its camera', async (t) => {
  const camera = { ...orbitCamera(surface.box, 0, 0, 200), height: 100 };
  const view = await photoView(
    { rgb: new Uint8Array(60000).fill(9), matte: new Uint8Array(20000).fill(255), width: 200, height: 100 },
    camera,
    50,
  );
  t.same([view.camera.width, view.camera.height], [50, 25]);
  t.equal(view.rgb.length, 50 * 25 * 3);
  t.equal(view.alpha!.length, 50 * 25);
  t.equal(view.camera.focal, camera.focal / 4);
});

tap.test('the box leaves room for hair; random numbers are uniform and repeat', async (t) => {
  t.ok(fieldBox(surface).max[1] > surface.box.max[1] + 1);
  const random = generator(3);
  const values = Array.from({ length: 4000 }, random);
  t.ok(Math.abs(values.reduce((sum, value) => sum + value, 0) / 4000 - 0.5) < 0.02);
  const again = generator(3);
  t.same(values.slice(0, 5), Array.from({ length: 5 }, again));
});
