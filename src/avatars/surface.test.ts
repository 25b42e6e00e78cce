import sharp from 'sharp';
import tap from 'tap';
import { orbitCamera, projectPoint, rotationFromAngles, shrunkCamera } from './camera.js';
import { psnr, silhouetteIou } from './compare.js';
import { cellLeft, LABEL, NEUTRAL, ROW_HEIGHT, ROW_WIDTH } from './contact/layout.js';
import { contactRow } from './contact/row.js';
import { contactPage } from './contact/sheet.js';
import { avatarGlb } from './export/files.js';
import { spheres } from './export/spheres.test.fixture.js';
import { drawSurface, surfaceOfGlb, weld } from './surface.js';

/** Left half of the person red, right half blue, the top quarter white: u runs from the front over the left side. */
async function painted(): Promise<Uint8Array> {
  const size = 64;
  const rgb = Buffer.alloc(size * size * 3);
  for (let i = 0; i < size * size; i++) {
    const [x, y] = [i % size, Math.floor(i / size)];
    const color = y < size / 4 ? [255, 255, 255] : x < size / 2 ? [255, 0, 0] : [0, 0, 255];
    rgb.set(color, 3 * i);
  }
  const png = await sharp(rgb, { raw: { width: size, height: size, channels: 3 } })
    .png()
    .toBuffer();
  const mesh = spheres();
  const skin = { ...mesh, parts: mesh.parts.slice(0, 1) };
  return avatarGlb(skin, { bytes: new Uint8Array(png), mime: 'image/png' }, 'p');
}

function pixel(rgba: Uint8Array, size: number, x: number, y: number): number[] {
  return [...rgba.subarray(4 * (y * size + x), 4 * (y * size + x) + 4)];
}

tap.test('an exported file is drawn upright, the left of the person on the right of the picture', async (t) => {
  const surface = await surfaceOfGlb(await painted());
  t.ok(Math.abs(surface.box.max[1] - 9) < 1e-4, 'centimetres');
  const front = drawSurface(surface, orbitCamera(surface.box, 0, 0, 100), 'texture').rgba;
  t.same(pixel(front, 100, 70, 60), [255, 0, 0, 255], 'left of the person');
  t.same(pixel(front, 100, 30, 60), [0, 0, 255, 255], 'right of the person');
  t.same(pixel(front, 100, 50, 16), [255, 255, 255, 255], 'top');
  t.equal(pixel(front, 100, 1, 1)[3], 0, 'transparent outside');
  const turned = drawSurface(surface, orbitCamera(surface.box, Math.PI / 2, 0, 100), 'texture').rgba;
  t.same(pixel(turned, 100, 30, 60), [0, 0, 255, 255], 'turned to its own left, the right cheek shows');
  t.same(pixel(turned, 100, 70, 60), [0, 0, 255, 255]);
  const chinUp = drawSurface(surface, orbitCamera(surface.box, 0, Math.PI / 2, 100), 'texture').rgba;
  t.notSame(pixel(chinUp, 100, 50, 50), [255, 255, 255, 255], 'chin up, the crown is behind');
});

tap.test('angles turn as head space says', async (t) => {
  const forward = (rotation: Float32Array): number[] => [2, 5, 8].map((k) => Math.round(100 * rotation[k]!));
  t.same(forward(rotationFromAngles(Math.PI / 2, 0, 0)), [100, 0, 0], 'yaw > 0: to its own left, which is +x');
  t.same(forward(rotationFromAngles(0, Math.PI / 6, 0)), [0, 50, 87], 'pitch > 0 lifts the chin');
  const box = { min: [-8, -14, -10], max: [8, 12, 10] } as const;
  const camera = orbitCamera(box, 0.3, 0.2, 200);
  const [x, y] = projectPoint(camera, [0, -1, 0])!;
  t.ok(Math.hypot(x - 100, y - 100) < 0.01, "the box's middle is the picture's");
  const small = shrunkCamera({ ...camera, height: 100 }, 50);
  t.same([small.width, small.height], [50, 25]);
  t.ok(Math.abs(projectPoint(small, [0, -1, 0])![0] - 25) < 0.01);
  t.same(shrunkCamera(camera, 300), camera, 'never enlarged');
});

tap.test('welding joins what is at one place', async (t) => {
  const { positions, source } = weld(Float32Array.of(1, 2, 3, 4, 5, 6, 1, 2, 3));
  t.same([...source], [0, 1, 0]);
  t.same([...positions], [1, 2, 3, 4, 5, 6]);
});

tap.test('pictures are compared where asked', async (t) => {
  const a = { pixels: Uint8Array.of(0, 0, 0, 255, 255, 255), channels: 3 } as const;
  const b = { pixels: Uint8Array.of(0, 0, 0, 9, 255, 255, 0, 9), channels: 4 } as const;
  t.equal(
    psnr(a, b, (i) => i === 0),
    99,
  );
  t.ok(psnr(a, b, (i) => i === 1) < 5);
  t.ok(Number.isNaN(psnr(a, b, () => false)));
  t.equal(silhouetteIou(Uint8Array.of(0, 0, 0, 255, 0, 0, 0, 255), Uint8Array.of(0, 0, 0, 255, 0, 0, 0, 0)), 0.5);
});

tap.test('a contact row shows photo pixels in the input cell alone', async (t) => {
  const surface = await surfaceOfGlb(await painted());
  const green = new Uint8Array(60 * 90 * 3).fill(0).map((_, i) => (i % 3 === 1 ? 255 : 0));
  const camera = { ...orbitCamera(surface.box, 0, 0, 90), width: 60 };
  const drawField = ({ width, height }: { width: number; height: number }): Uint8Array => new Uint8Array(width * height * 4);
  const row = await contactRow({
    label: 'P',
    photo: { rgb: green, width: 60, height: 90 },
    camera,
    surface,
    drawField,
    drawMesh: (view) => drawSurface(surface, view, 'texture').rgba,
    control: null,
  });
  const page = await contactPage('AVATARS', [async () => row, async () => row]);
  t.equal((await sharp(page).metadata()).width, ROW_WIDTH);
  const { data, info } = await sharp(row).raw().toBuffer({ resolveWithObject: true });
  t.same([info.width, info.height], [ROW_WIDTH, ROW_HEIGHT]);
  let greenInside = 0;
  let greenOutside = 0;
  for (let i = 0; i < info.width * info.height; i++) {
    const [r, g, b] = [data[3 * i]!, data[3 * i + 1]!, data[3 * i + 2]!];
    if (!(g > 200 && r < 50 && b < 50)) continue;
    if (i % info.width < cellLeft(1)) greenInside++;
    else greenOutside++;
  }
  t.ok(greenInside > 5000);
  t.equal(greenOutside, 0);
  const corner = 3 * ((LABEL + 1) * info.width + cellLeft(1) + 1);
  t.same([...data.subarray(corner, corner + 3)], [...NEUTRAL]);
});
