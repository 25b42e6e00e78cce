import sharp from 'sharp';
import tap from 'tap';
import type { CameraValues } from '../core/addon/index.js';
import { Field } from '../fields/index.js';
import { orbitCamera, resizedCamera } from './camera.js';
import { closedNeck } from './closed_neck.js';
import { cup } from './cup.test.fixture.js';
import { avatarGlb } from './export/files.js';
import { spheres } from './export/spheres.test.fixture.js';
import { fieldPhoto, shrinkPhoto } from './field_photo.js';
import { QUALITY } from './options.js';
import { drawSurface, surfaceOfGlb } from './surface.js';
import { compareWithSurface, drawsField, fieldBox, generator, remembering, supervisedViews, trainField } from './volume.js';

const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#c04020' } })
  .png()
  .toBuffer();
const surface = await surfaceOfGlb(await avatarGlb(spheres(), { bytes: new Uint8Array(png), mime: 'image/png' }, 'p'));

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

tap.test('some views look down on the crown, and none into an open neck', async (t) => {
  for (const quality of ['preview', 'draft', 'standard', 'high'] as const) {
    const level = { ...QUALITY[quality], supervisedSize: 8 };
    // Radians that each camera stands above the head: views from before reach 30°, and graze the crown.
    const heights = supervisedViews(surface, level, 1, null).map(({ camera }) => Math.asin(camera.rotation[7]!));
    const above = heights.filter((height) => height > 0.55).length;
    t.ok(above >= Math.floor(heights.length / 8), `${quality}: ${above} of ${heights.length} from above`);
  }
  const open = cup(10, true);
  const closed = closedNeck(open);
  let hollow = 0;
  for (const { camera, depth } of supervisedViews(open, { ...QUALITY.draft, supervisedSize: 48 }, 1, null)) {
    const [inside, lid] = [open, closed].map((drawn) => drawSurface(drawn, camera as CameraValues, 'texture', null, 1).depth);
    t.same(depth, lid);
    if (inside!.some((value, i) => value !== lid![i])) hollow++;
  }
  t.ok(hollow > 0, 'some would have looked in');
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
  const small = await shrinkPhoto({ ...flat, rgb }, 100);
  const view = fieldPhoto(small, resizedCamera(camera, small.width, small.height), surface, [0, -4, 8], null);
  t.same([view.camera.width, view.camera.height], [100, 100]);
  const at = (x: number, y: number): number => view.rgb[3 * (100 * y + x)] as number;
  t.ok(Math.abs(at(40, 55) - 0xc0) < 12, `skin ${at(40, 55)} in the light of the texture`);
  t.ok(at(50, 50) < 60, 'the freckle stays');
  t.ok(Math.abs(at(37, 37) - 0xc0) < 6, 'what covers the face is not learnt');
  t.equal(view.alpha![100 * 37 + 37], 255);
  t.equal(view.alpha![100 * 8 + 50], 255, 'hair above the head');
  t.equal(view.alpha![100 * 3 + 50], 0, 'what floats a centimetre above it');
  t.equal(view.alpha![100 * 97 + 50], 0, 'clothes below the chin');
});

tap.test("three photos in three lights make one head, in the texture's colours from every side", async (t) => {
  const camera = (yaw: number, size: number) => orbitCamera(surface.box, (yaw * Math.PI) / 180, 0, size);
  // A white balance each, and a lamp that darkens the other side to less than half.
  const lights = [
    { yaw: 0, balance: [1.1, 0.9, 0.7], lamp: 0 },
    { yaw: 30, balance: [1.2, 0.8, 0.5], lamp: 0.4 },
    { yaw: -30, balance: [0.5, 0.55, 0.7], lamp: -0.4 },
  ];
  const level = { ...QUALITY.draft, steps: 250 };
  const views = supervisedViews(surface, level, 1, null);
  for (const { yaw, balance, lamp } of lights) {
    const view = camera(yaw, 160);
    const { rgba } = drawSurface(surface, view, 'texture', null);
    const rgb = new Uint8Array(3 * 160 * 160).map((_, k) => {
      const [i, c] = [Math.floor(k / 3), k % 3];
      return Math.min(255, rgba[4 * i + c]! * balance[c]! * (1 + lamp * (((i % 160) - 80) / 80)));
    });
    const matte = new Uint8Array(160 * 160).map((_, i) => rgba[4 * i + 3]!);
    views.push(fieldPhoto({ rgb, matte, width: 160, height: 160 }, view, surface, [0, -4, 8], null));
  }
  using field = Field.create({ kind: 'hashgrid', box: fieldBox(surface), seed: 1 });
  trainField(field, views, level, 1, new Int32Array(new SharedArrayBuffer(12)), () => {});
  for (const yaw of [-30, 0, 30]) {
    const view = camera(yaw, 96);
    const mesh = drawSurface(surface, view, 'texture', null).rgba;
    const volume = field.render(view).rgba;
    const [wanted, seen] = [mesh, volume].map((rgba) =>
      meanColour(rgba, (i) => mesh[4 * i + 3]! >= 128 && volume[4 * i + 3]! >= 128),
    );
    const off = Math.max(...wanted!.map((value, c) => Math.abs(seen![c]! - value) / 255));
    t.ok(off < 0.03, `the mean colour at ${yaw}° is ${(100 * off).toFixed(1)} % off`);
  }
  const drawField = drawsField(field, new Int32Array(new SharedArrayBuffer(12)));
  const drawMesh = (view: CameraValues) => drawSurface(surface, view, 'texture', null).rgba;
  const { silhouetteWorst } = compareWithSurface(drawField, drawMesh, surface.box, 96);
  t.ok(silhouetteWorst > 0.95, `silhouettes overlap by ${silhouetteWorst.toFixed(3)} at worst`);
});

tap.test('a picture is drawn once, small ones in steps as coarse as their pixels', async (t) => {
  const asked: number[] = [];
  const draw = remembering(({ width }) => Uint8Array.of(asked.push(width)));
  const [front, side] = [orbitCamera(surface.box, 0, 0, 96), orbitCamera(surface.box, 1, 0, 96)];
  t.same(
    [draw(front), draw({ ...front }), draw(side)].map(([first]) => first),
    [1, 1, 2],
  );
  const samples: number[] = [];
  const field = {
    box: fieldBox(surface),
    render(_: CameraValues, options: { samples: number }) {
      samples.push(options.samples);
      return { rgba: new Uint8Array(4) };
    },
  };
  const pictures = drawsField(field as unknown as Field, new Int32Array(new SharedArrayBuffer(12)));
  for (const size of [64, 200, 512]) pictures(orbitCamera(surface.box, 0, 0, size));
  t.equal(samples[0], 128);
  t.ok(samples[1]! > 150 && samples[1]! < 256, `${samples[1]} steps for 200 pixels`);
  t.equal(samples[2], 256);
});

function meanColour(rgba: Uint8Array, use: (pixel: number) => boolean): number[] {
  const sum = [0, 0, 0];
  let count = 0;
  for (let i = 0; i < rgba.length / 4; i++) {
    if (!use(i)) continue;
    count++;
    for (let c = 0; c < 3; c++) sum[c]! += rgba[4 * i + c]!;
  }
  return sum.map((value) => value / count);
}

tap.test('the box leaves room for hair and ends at the neck; random numbers are uniform and repeat', async (t) => {
  t.ok(fieldBox(surface).max[1] > surface.box.max[1] + 1);
  t.ok(fieldBox(surface).min[1] > surface.box.min[1]);
  const random = generator(3);
  const values = Array.from({ length: 4000 }, random);
  t.ok(Math.abs(values.reduce((sum, value) => sum + value, 0) / 4000 - 0.5) < 0.02);
  const again = generator(3);
  t.same(values.slice(0, 5), Array.from({ length: 5 }, again));
});
