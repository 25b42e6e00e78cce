import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { CameraValues, HeadHandle, MeshArrays, MeshLook, SynthesizeOptions } from './index.js';
import { addon } from './index.js';

const size = 128;
const camera: CameraValues = {
  rotation: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
  translation: Float32Array.of(0, 3, -85),
  focal: 3 * size,
  center: Float32Array.of(size / 2, size / 2),
  width: size,
  height: size,
};
const clay: MeshLook = {
  shading: 'clay',
  supersample: 2,
  cullBack: true,
  background: Uint8Array.of(0, 0, 0, 0),
  colours: null,
  texture: null,
  textureWidth: 0,
  textureHeight: 0,
};
const photo: SynthesizeOptions = {
  seed: 5,
  person: 0,
  photo: 0,
  width: 96,
  height: 96,
  yaw: 0,
  pitch: 0,
  roll: 0,
  focalMm: null,
  expression: 0,
  marks: false,
  texture: 256,
};

function meshOf(head: HeadHandle): MeshArrays {
  const native = addon();
  const info = native.headInfo(head);
  const mesh = {
    positions: new Float32Array(info.positionCount * 3),
    triangles: new Uint32Array(info.triangleCount * 3),
    source: new Uint32Array(info.vertexCount),
    uv: new Float32Array(info.vertexCount * 2),
  };
  native.headShape(head, new Float32Array(0), new Float32Array(0), mesh.positions);
  native.headTopology(head, mesh.source, mesh.uv, mesh.triangles, new Uint32Array(info.positionCount));
  return mesh;
}

t.test('the embedded head tells what it is and survives a file', (t) => {
  const native = addon();
  const head = native.headLoad(null);
  const info = native.headInfo(head);
  t.ok(info.identityNames.length >= 30 && info.identityNames.includes('nose_length'));
  t.ok(info.expressionNames.includes('jawOpen') && info.expressionNames.includes('eyeBlinkLeft'));
  t.equal(info.landmarks.length, 68);
  t.same(
    info.parts.map((part) => part.name),
    ['skin', 'mouth', 'socket', 'eye_right', 'eye_left', 'teeth_upper', 'teeth_lower', 'tongue', 'hair'],
  );
  const folder = mkdtempSync(join(tmpdir(), 'daf-head-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'head.safetensors');
  native.headSave(head, file);
  t.same(native.headInfo(native.headLoad(file)), info);
  writeFileSync(file, 'not a head');
  t.throws(() => native.headLoad(file), { code: 'ERR_DAF_BAD_DATA' });
  t.throws(() => native.headLoad(join(folder, 'none')), { code: 'ERR_DAF_IO' });
  t.throws(() => native.headInfo({} as HeadHandle), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.end();
});

t.test('a mode is what shaping adds', (t) => {
  const native = addon();
  const head = native.headLoad(null);
  const info = native.headInfo(head);
  const floats = info.positionCount * 3;
  const mean = new Float32Array(floats);
  const moved = new Float32Array(floats);
  const mode = new Float32Array(floats);
  const at = info.identityNames.indexOf('chin_projection');
  const alpha = new Float32Array(at + 1);
  alpha[at] = 2;
  native.headShape(head, new Float32Array(0), new Float32Array(0), mean);
  native.headShape(head, alpha, new Float32Array(0), moved);
  native.headMode(head, 'identity', at, mode);
  const chin = 3 * (info.landmarks[8] ?? 0) + 2;
  t.ok(Math.abs((moved[chin] ?? 0) - (mean[chin] ?? 0) - 2 * (mode[chin] ?? 0)) < 1e-5);
  t.throws(() => native.headMode(head, 'identity', 10_000, mode), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.throws(() => native.headShape(head, alpha, alpha, new Float32Array(7)), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.end();
});

t.test('a mesh is drawn where it is', (t) => {
  const native = addon();
  const mesh = meshOf(native.headLoad(null));
  const rgba = new Uint8Array(size * size * 4);
  const depth = new Float32Array(size * size);
  const mask = new Uint8Array(size * size);
  native.renderMesh(mesh, camera, clay, null, rgba, depth);
  native.renderMeshMask(mesh, camera, null, mask);
  const middle = (size / 2) * size + size / 2;
  t.equal(rgba[4 * middle + 3], 255);
  t.ok((depth[middle] ?? 0) > 75 && (depth[middle] ?? 0) < 86);
  t.equal(depth[0], Number.POSITIVE_INFINITY);
  t.equal(mask[middle], 255);
  const covered = mask.reduce((sum, value) => sum + value / 255, 0) / mask.length;
  t.ok(covered > 0.15 && covered < 0.6, `${covered}`);
  t.throws(() => native.renderMesh(mesh, camera, { ...clay, shading: 'texture' }, null, rgba, null), {
    code: 'ERR_DAF_BAD_ARGUMENT',
  });
  t.throws(() => native.renderMesh(mesh, camera, clay, null, new Uint8Array(3), null), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.throws(() => native.renderMesh(mesh, camera, clay, Int32Array.of(1, 0, 0), rgba, null), { code: 'ERR_DAF_CANCELLED' });
  t.end();
});

t.test('a synthetic photo is reproducible and its truth is in the picture', (t) => {
  const native = addon();
  const head = native.headLoad(null);
  const one = native.synthesize(head, photo, null);
  t.same(native.synthesize(head, photo, null), one);
  const other = native.synthesize(head, { ...photo, person: 1 }, null);
  t.notSame(other.identity, one.identity);
  t.same(native.makePerson(head, 5, 0, false).identity, one.identity);
  const [leftEye = 0, rightEye = 0] = [one.landmarks[2 * 45], one.landmarks[2 * 36]];
  t.ok(leftEye > rightEye, 'the subject looks at us: its left is on our right');
  for (let k = 17; k < 68; k++) {
    const pixel = Math.floor(one.landmarks[2 * k + 1] ?? 0) * 96 + Math.floor(one.landmarks[2 * k] ?? 0);
    t.ok((one.mask[pixel] ?? 0) > 128, `landmark ${k} lies on the head`);
  }
  t.throws(() => native.synthesize(head, { ...photo, width: 5 }, null), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.throws(() => native.synthesize(head, photo, Int32Array.of(1, 0, 0)), { code: 'ERR_DAF_CANCELLED' });
  t.end();
});

t.test('looks become a texture', (t) => {
  const native = addon();
  const head = native.headLoad(null);
  const rgba = new Uint8Array(128 * 128 * 4);
  const dark = new Uint8Array(rgba.length);
  native.paintAlbedo(head, native.averageLooks(), 128, null, rgba);
  native.paintAlbedo(head, { ...native.averageLooks(), melanin: 1.6 }, 128, null, dark);
  const mean = (bytes: Uint8Array) => bytes.reduce((sum, value) => sum + value, 0) / bytes.length;
  t.ok(mean(dark) < mean(rgba) - 10);
  t.throws(() => native.paintAlbedo(head, native.averageLooks(), 20, null, rgba), { code: 'ERR_DAF_BAD_ARGUMENT' });
  t.end();
});
