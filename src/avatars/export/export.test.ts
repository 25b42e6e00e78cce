import gltfValidator from 'gltf-validator';
import sharp from 'sharp';
import tap from 'tap';
import { readGlb } from '../../fields/mesh/export/glb.js';
import { mouldOf } from '../../fields/mesh/export/glb-mould.js';
import { vertexColors } from '../../fields/mesh/export/mesh.js';
import { readObj } from '../../fields/mesh/export/obj.js';
import { readPly } from '../../fields/mesh/export/ply.js';
import { avatarGlb, avatarObj, avatarPly } from './files.js';
import { spheres } from './spheres.test.fixture.js';

const texture = {
  bytes: new Uint8Array(
    await sharp({ create: { width: 16, height: 16, channels: 3, background: '#b58a70' } })
      .png()
      .toBuffer(),
  ),
  mime: 'image/png' as const,
};

tap.test('a GLB passes the Khronos validator without a word and reads back the same', async (t) => {
  const mesh = spheres();
  const bytes = await avatarGlb(mesh, texture, 'a person\nwith ünicode');
  const report = await gltfValidator.validateBytes(bytes);
  t.equal(report.issues.numErrors, 0, JSON.stringify(report.issues.messages.slice(0, 3)));
  t.equal(report.issues.numWarnings, 0, JSON.stringify(report.issues.messages.slice(0, 3)));
  const back = await readGlb(bytes);
  t.same(back.positions, mesh.positions);
  t.same(back.normals, mesh.normals);
  t.same(back.uvs, mesh.uvs);
  t.same(back.triangles, mesh.triangles);
  t.same(back.parts, mesh.parts);
  t.same(back.expressionNames, ['mouthSmileLeft', 'jawOpen']);
  t.same(back.texture.bytes, texture.bytes);
});

tap.test('people who share a head get the bytes that each would get alone', async (t) => {
  const one = spheres();
  const first = await avatarGlb(one, texture, 'the first');
  t.not(mouldOf(first, one), null, 'the library lays a file out as the mould knows it');
  const bytes = new Uint8Array(
    await sharp({ create: { width: 31, height: 7, channels: 3, background: '#405060' } })
      .jpeg()
      .toBuffer(),
  );
  const photo = { bytes, mime: 'image/jpeg' as const };
  for (const scale of [1.1, 0.9]) {
    const positions = one.positions.map((value, i) => scale * value + (i % 3) * 0.001);
    const normals = one.normals.map((value) => -value);
    const shared = { ...one, positions, normals };
    // Expressions of its own: nothing is known of this one.
    const alone = { ...shared, expressions: [...one.expressions] };
    t.same(await avatarGlb(shared, photo, `person ${scale}`), await avatarGlb(alone, photo, `person ${scale}`));
    t.same((await readGlb(await avatarGlb(shared, photo, 'p'))).positions, positions);
  }
});

tap.test('what is no glTF binary is refused with a code', async (t) => {
  const whole = await avatarGlb(spheres(), texture, 'p');
  for (const bytes of [new Uint8Array(0), whole.subarray(0, 300), whole.subarray(0, whole.length - 8), whole.map((b) => b ^ 1)])
    await t.rejects(readGlb(bytes), { code: 'ERR_DAF_BAD_DATA' });
});

tap.test('the validator does see a broken file', async (t) => {
  const mesh = spheres();
  const bytes = await avatarGlb({ ...mesh, normals: mesh.normals.map((value) => 2 * value) }, texture, 'p');
  t.ok((await gltfValidator.validateBytes(bytes)).issues.numErrors > 0);
});

tap.test('all formats hold the same vertices, and the same mesh gives the same bytes', async (t) => {
  const mesh = spheres();
  const colors = vertexColors(mesh.uvs, new Uint8Array(3).fill(200), 1, 1);
  const ply = avatarPly(mesh, colors);
  const obj = avatarObj(mesh, 'avatar');
  for (const back of [readPly(ply), readObj(obj.obj)]) {
    t.same(back.positions, mesh.positions);
    t.same(back.normals, mesh.normals);
    t.same(back.triangles, mesh.triangles);
    t.ok(back.uvs.every((uv, i) => Math.abs(uv - mesh.uvs[i]!) < 1e-6));
  }
  t.same(readPly(ply).colors, colors);
  t.match(obj.mtl, /map_Kd avatar\.png/);
  t.same(await avatarGlb(mesh, texture, 'p'), await avatarGlb(spheres(), texture, 'p'));
  t.same(avatarPly(spheres(), colors), ply);
});

tap.test('metres, outward normals, no crease at the seam', async (t) => {
  const mesh = spheres();
  t.ok(Math.abs(Math.max(...mesh.positions) - 0.09) < 1e-6);
  const skin = mesh.parts[0]!;
  let outward = Infinity;
  for (let v = 0; v < skin.vertexCount; v++) {
    const dot = [0, 1, 2].reduce((sum, k) => sum + mesh.positions[3 * v + k]! * mesh.normals[3 * v + k]!, 0);
    outward = Math.min(outward, dot);
  }
  t.ok(outward > 0.085, 'every normal looks outward');
  t.same(mesh.normals.slice(3 * 13, 3 * 14), mesh.normals.slice(3 * 25, 3 * 26), 'both sides of the seam share a normal');
});

tap.test('a triangle across parts, a truncated PLY and a foreign OBJ are refused', async (t) => {
  const mesh = spheres();
  const triangles = mesh.triangles.slice();
  triangles[0] = mesh.parts[1]!.firstVertex;
  await t.rejects(avatarGlb({ ...mesh, triangles }, texture, 'p'), { code: 'ERR_DAF_INTERNAL' });
  const ply = avatarPly(mesh, new Uint8Array(mesh.positions.length));
  t.throws(() => readPly(ply.subarray(0, ply.length - 1)), { code: 'ERR_DAF_BAD_DATA' });
  t.throws(() => readObj('v 0 0 0\nf 1/2/1 1/1/1 1/1/1\n'), { code: 'ERR_DAF_BAD_DATA' });
});

tap.test('vertex colours come from the texel under the vertex', async (t) => {
  const rgb = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9);
  const uvs = Float32Array.of(0.25, 0.25, 0.75, 0.25, 0.25, 0.75, 0.5, 0.25);
  t.same([...vertexColors(uvs, rgb, 2, 2)], [255, 0, 0, 0, 255, 0, 0, 0, 255, 128, 128, 0]);
});
