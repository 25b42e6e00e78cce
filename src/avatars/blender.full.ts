import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tap from 'tap';
import { blenderMissing, importIntoBlender } from './blender.test.fixture.js';
import { writeDemoInput } from './demo/write_input.js';
import { ARKIT_NAMES } from './export/arkit.js';
import { embeddedHead } from './head.js';
import { avatarInput } from './input.js';
import { runStages } from './local.test.fixture.js';

const missing = await blenderMissing();

tap.test('Blender imports an avatar: names, metres, shape keys and materials', { skip: missing ?? false }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'daf-avatar-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await writeDemoInput(folder, { people: 1, photos: 1, seed: 3 });
  const run = await runStages((await avatarInput([folder])).records, { quality: 'draft' });
  for (const [name, bytes] of run.files) {
    if (/\/avatar\.[a-z]+$/.test(name)) await writeFile(join(folder, name.split('/').at(-1)!), bytes);
  }
  const { info } = embeddedHead();
  const parts = info.parts.map(({ name }) => name);
  const near = (value: number, low: number, high: number, what: string): void =>
    void t.ok(value >= low && value <= high, `${what}: ${value.toFixed(4)} m`);

  const glb = await importIntoBlender(join(folder, 'avatar.glb'));
  const meshes = glb.objects.filter(({ type }) => type === 'MESH');
  t.strictSame(meshes.map(({ name }) => name).sort(), [...parts].sort(), 'a mesh a part, by its name');
  const root = glb.objects.find(({ type }) => type === 'EMPTY');
  t.equal(root?.name, 'person-01', 'the person stands above them');
  t.ok(meshes.every(({ parent }) => parent === root?.name));

  const part = (name: string) => meshes.find((mesh) => mesh.name === name)!;
  const [low, high] = part('skin').box!;
  near(high[0]! - low[0]!, 0.13, 0.22, 'breadth over the ears');
  near(high[2]! - low[2]!, 0.22, 0.42, 'crown to the end of the neck');
  const middle = (name: string): number[] => part(name).box![0].map((least, k) => (least + part(name).box![1][k]!) / 2);
  const [right, left] = [middle('eye_right'), middle('eye_left')];
  near(left[0]! - right[0]!, 0.055, 0.072, 'between the eyes, the left one at +x');
  t.ok(low[1]! < right[1]! && right[1]! < (low[1]! + high[1]!) / 2, 'the face looks along −y: forward in Blender');

  const expected = ARKIT_NAMES.filter((name) => info.expressionNames.includes(name));
  for (const mesh of meshes) {
    t.strictSame([...mesh.shapeKeys].sort(), [...expected].sort(), `${mesh.name} has every shape key by ARKit's name`);
    t.equal(mesh.uvLayers, 1);
    t.strictSame(mesh.materials, ['skin']);
  }
  for (const [k, name] of part('skin').shapeKeys.entries()) {
    const most = Math.max(...meshes.map((mesh) => mesh.moves[mesh.shapeKeys.indexOf(name)]!));
    t.ok(most > 0.0005 && most < 0.08, `${part('skin').shapeKeys[k]} moves something, by ${(1000 * most).toFixed(1)} mm at most`);
  }
  t.match(glb.materials, [{ name: 'skin', metallic: 0, showsBacks: true }]);
  near(glb.materials[0]!.roughness, 0.599, 0.601, 'roughness');
  t.strictSame(glb.materials[0]!.picture, [512, 512], 'the texture came along');

  const count = (list: typeof meshes, key: 'vertices' | 'faces'): number => list.reduce((sum, mesh) => sum + mesh[key], 0);
  const faces = count(meshes, 'faces');
  t.equal(faces, info.triangleCount);
  // The other files are the same mesh; OBJ and PLY state no frame, importers differ in what they turn up.
  const sizes = (list: typeof meshes): number[] =>
    [0, 1, 2].map((k) => Math.max(...list.map(({ box }) => box![1][k]!)) - Math.min(...list.map(({ box }) => box![0][k]!)));
  const expectSize = (list: typeof meshes, what: string): void => {
    const [ours, theirs] = [sizes(meshes).sort(), sizes(list).sort()];
    t.ok(
      ours.every((size, k) => Math.abs(size - theirs[k]!) < 1e-4),
      `${what} has the size of the GLB: ${theirs.join(' × ')}`,
    );
  };
  const obj = await importIntoBlender(join(folder, 'avatar.obj'));
  const objMeshes = obj.objects.filter(({ type }) => type === 'MESH');
  t.equal(count(objMeshes, 'faces'), faces, 'OBJ: every triangle');
  t.ok(
    objMeshes.every(({ uvLayers, materials }) => uvLayers === 1 && materials.length === 1),
    'OBJ: UVs and material',
  );
  t.strictSame(obj.materials[0]?.picture, [512, 512], 'OBJ: the texture is found through the MTL');
  expectSize(objMeshes, 'OBJ');
  const ply = await importIntoBlender(join(folder, 'avatar.ply'));
  const plyMeshes = ply.objects.filter(({ type }) => type === 'MESH');
  t.equal(count(plyMeshes, 'faces'), faces, 'PLY: every triangle');
  t.equal(plyMeshes[0]?.colourLayers, 1, 'PLY: colours of vertices');
  expectSize(plyMeshes, 'PLY');
});
