import { Document, WebIO } from '@gltf-transform/core';
import sharp from 'sharp';
import tap from 'tap';
import { findChromium, openGlbViewer } from './glb-check.js';
import { validateGlb } from './gltf-validator.js';

const RED = [220, 30, 30];
const GREEN = [30, 200, 40];
const BLUE = [40, 60, 210];
const WHITE = [240, 240, 240];

/** A square of 1 m facing +z; texture: red green over blue white; the morph `lift` raises it by 1 m. */
async function square(): Promise<Uint8Array> {
  const texture = await sharp(Buffer.from([RED, GREEN, BLUE, WHITE].flat()), { raw: { width: 2, height: 2, channels: 3 } })
    .resize(64, 64, { kernel: 'nearest' })
    .png()
    .toBuffer();
  const document = new Document();
  const buffer = document.createBuffer();
  const accessor = (type: 'SCALAR' | 'VEC2' | 'VEC3', array: Float32Array | Uint16Array) =>
    document.createAccessor().setType(type).setArray(array).setBuffer(buffer);
  const image = document.createTexture('t').setImage(texture).setMimeType('image/png');
  const lift = document
    .createPrimitiveTarget('lift')
    .setAttribute('POSITION', accessor('VEC3', new Float32Array([0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0])));
  const primitive = document
    .createPrimitive()
    .setMaterial(document.createMaterial('m').setBaseColorTexture(image).setRoughnessFactor(1).setMetallicFactor(0))
    .setAttribute('POSITION', accessor('VEC3', new Float32Array([-0.5, -0.5, 0, 0.5, -0.5, 0, 0.5, 0.5, 0, -0.5, 0.5, 0])))
    .setAttribute('NORMAL', accessor('VEC3', new Float32Array([0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1])))
    .setAttribute('TEXCOORD_0', accessor('VEC2', new Float32Array([0, 1, 1, 1, 1, 0, 0, 0])))
    .setIndices(accessor('SCALAR', new Uint16Array([0, 1, 2, 0, 2, 3])))
    .addTarget(lift);
  const mesh = document
    .createMesh('square')
    .addPrimitive(primitive)
    .setWeights([0])
    .setExtras({ targetNames: ['lift'] });
  document.getRoot().setDefaultScene(document.createScene().addChild(document.createNode('square').setMesh(mesh)));
  return new WebIO().writeBinary(document);
}

async function rgba(png: Uint8Array, x: number, y: number): Promise<number[]> {
  const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return [...data.subarray(4 * (y * info.width + x), 4 * (y * info.width + x) + 4)];
}

const near = (a: number[], b: number[]): boolean => b.every((value, i) => Math.abs(a[i]! - value) <= 3);

tap.test('the validator passes a sound file and names what is wrong in another', async (t) => {
  const bytes = await square();
  t.same(await validateGlb(bytes), { errors: 0, warnings: 0, messages: [] });
  const json = Buffer.from(bytes);
  const at = json.indexOf('"VEC2"');
  json.write('"VEC3"', at);
  const verdict = await validateGlb(json);
  t.ok(verdict.errors > 0);
  t.ok(verdict.messages.length > 0);
});

tap.test('three.js in Chromium', { skip: findChromium() === null ? 'no Chromium: set DAF_CHROMIUM' : false }, async (t) => {
  await using viewer = await openGlbViewer();
  const scene = await viewer.load(await square());
  t.same(scene.min, [-0.5, -0.5, 0]);
  t.same(scene.max, [0.5, 0.5, 0], 'morph targets do not count');
  t.same(scene.meshes, [{ name: 'square', triangles: 2, morphs: ['lift'], textured: true }]);

  await t.test('shows colours and sides as they are', async (u) => {
    const png = await viewer.shoot({ width: 200, height: 200, eye: [0, 0, 2], look: 'unlit', background: null });
    u.ok(near(await rgba(png, 80, 80), RED), 'top left');
    u.ok(near(await rgba(png, 120, 80), GREEN), 'top right');
    u.ok(near(await rgba(png, 80, 120), BLUE), 'bottom left');
    u.ok(near(await rgba(png, 120, 120), WHITE), 'bottom right');
    u.equal((await rgba(png, 2, 2))[3], 0, 'nothing there is transparent');
  });

  await t.test('takes a photo camera', async (u) => {
    // 2 m before the square, 100 pixels a metre at that distance; centre at (60, 80): the square covers 10…110 × 30…130.
    const camera = { rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1], translation: [0, 0, -2], focal: 200, center: [60, 80] } as const;
    const png = await viewer.shoot({ width: 160, height: 200, camera, look: 'unlit', background: null });
    for (const [x, y, seen] of [
      [8, 80, 0],
      [12, 80, 255],
      [108, 80, 255],
      [112, 80, 0],
      [60, 28, 0],
      [60, 32, 255],
      [60, 128, 255],
      [60, 132, 0],
    ] as const) {
      u.equal((await rgba(png, x, y))[3], seen, `alpha at ${x}, ${y}`);
    }
    u.ok(near(await rgba(png, 40, 60), RED));
  });

  await t.test('shows which way the surface looks', async (u) => {
    // Seen from the square's right: its normal points to the picture's left, halfway to the camera.
    const png = await viewer.shoot({ eye: [1.5, 0, 1.5], look: 'normals', background: null });
    u.ok(near(await rgba(png, 256, 256), [37, 128, 218, 255]), `${await rgba(png, 256, 256)}`);
  });

  await t.test('moves morphs, and back', async (u) => {
    const shot = { width: 100, height: 100, eye: [0, 0, 2], look: 'clay', background: null } as const;
    u.equal((await rgba(await viewer.shoot({ ...shot, morphs: { lift: 1 } }), 50, 60))[3], 0);
    u.equal((await rgba(await viewer.shoot(shot), 50, 60))[3], 255);
  });

  await t.test('refuses what three.js cannot read', async (u) => {
    await u.rejects(viewer.load(new TextEncoder().encode('glTF but not really')), { code: 'ERR_DAF_BAD_DATA' });
  });
});
