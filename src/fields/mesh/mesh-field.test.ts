import { WebIO } from '@gltf-transform/core';
import tap from 'tap';
import { validateGlb } from '../../testing/gltf-validator.js';
import { Field } from '../field.js';
import { readGlb } from './export/glb.js';
import { readObj } from './export/obj.js';
import { readPly } from './export/ply.js';
import { meshFiles, meshFormat } from './files.js';
import { meshFieldInThread } from './in-thread.js';
import { meshField } from './mesh-field.js';
import { sphereField } from './sphere-field.test.fixture.js';
import { MESH_STAGES, type MeshStage } from './types.js';

const field = sphereField();
tap.teardown(() => field.dispose());
const small = { resolution: 64, faces: 4000, texture: 256 } as const;
const mesh = meshField(field, small);
const POLE = 6;

/** Triangles over the places of vertices: where charts meet, a place has several vertices. */
function places({ positions, triangles }: { positions: Float32Array; triangles: Uint32Array }): number[][] {
  const ids = new Map<string, number>();
  const place = (v: number): number => {
    const key = positions.subarray(3 * v, 3 * v + 3).join();
    if (!ids.has(key)) ids.set(key, ids.size);
    return ids.get(key)!;
  };
  return Array.from({ length: triangles.length / 3 }, (_, t) => [0, 1, 2].map((k) => place(triangles[3 * t + k]!)));
}

tap.test('the mesh of a sphere is closed, round, faces outwards and has its colours', async (t) => {
  const edges = new Set<string>();
  const faces = places(mesh);
  for (const face of faces) {
    for (let k = 0; k < 3; k++) {
      const edge = `${face[k]} ${face[(k + 1) % 3]}`;
      if (edges.has(edge)) t.fail(`edge ${edge} twice`);
      edges.add(edge);
    }
  }
  t.ok(
    [...edges].every((edge) => edges.has(edge.split(' ').reverse().join(' '))),
    'every edge has a triangle on either side',
  );
  const vertices = new Set(faces.flat()).size;
  t.equal(vertices - faces.length / 2, 2, 'of one piece, without a handle');
  t.ok(faces.length <= 4000);
  let worst = 0;
  let color = 0;
  let leaning = 0;
  const { rgb, size } = mesh.texture;
  for (let v = 0; v < mesh.positions.length / 3; v++) {
    const p = mesh.positions.subarray(3 * v, 3 * v + 3);
    const n = mesh.normals.subarray(3 * v, 3 * v + 3);
    const radius = Math.hypot(...p);
    worst = Math.max(worst, Math.abs(radius - POLE));
    leaning += Number(p[0]! * n[0]! + p[1]! * n[1]! + p[2]! * n[2]! < 0.5 * radius);
    const texel = 3 * (Math.floor(mesh.uvs[2 * v + 1]! * size) * size + Math.floor(mesh.uvs[2 * v]! * size));
    for (let a = 0; a < 3; a++) color += Math.abs(rgb[texel + a]! / 255 - (0.5 + (0.4 * p[a]!) / radius)) / mesh.positions.length;
  }
  t.ok(worst < 0.6, `farthest vertex ${worst} from the sphere`);
  t.equal(leaning, 0, 'normals look outwards');
  t.ok(color < 0.06, `mean error of colour ${color}`);
});

/** Triangles whose normal looks towards the origin, and the volume that all of them enclose. */
function insideOut({
  positions: p,
  triangles,
}: {
  positions: Float32Array;
  triangles: Uint32Array;
}): [inwards: number, volume: number] {
  let inwards = 0;
  let volume = 0;
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => 3 * triangles[t + k]!) as [number, number, number];
    const [ax, ay, az] = [p[a]!, p[a + 1]!, p[a + 2]!];
    const [bx, by, bz] = [p[b]!, p[b + 1]!, p[b + 2]!];
    const [cx, cy, cz] = [p[c]!, p[c + 1]!, p[c + 2]!];
    const six = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx);
    inwards += Number(!(six > 0)); // the normal times any corner
    volume += six / 6;
  }
  return [inwards, volume];
}

tap.test('no triangle faces inwards, whether few are left or many', (t) => {
  const [inwards, volume] = insideOut(mesh);
  t.equal(inwards, 0);
  const fine = meshField(field, { ...small, faces: 20_000, texture: 1024 });
  t.ok(fine.report.triangles > 19_000);
  const [fineInwards, fineVolume] = insideOut(fine);
  t.equal(fineInwards, 0);
  t.ok(Math.abs(volume / fineVolume - 1) < 0.01, `volumes ${volume} and ${fineVolume}`);
  let leaning = 0;
  for (let v = 0; v < fine.positions.length; v += 3) {
    const [p, n] = [fine.positions.subarray(v, v + 3), fine.normals.subarray(v, v + 3)];
    leaning += Number(p[0]! * n[0]! + p[1]! * n[1]! + p[2]! * n[2]! < 0.5 * Math.hypot(...p));
  }
  t.equal(leaning, 0, 'normals look outwards');
  t.end();
});

tap.test('few queries find the same surface as asking every point', async (t) => {
  const dense = meshField(field, { ...small, exhaustive: true });
  t.same(mesh.positions, dense.positions);
  t.same(mesh.triangles, dense.triangles);
  t.ok(mesh.report.surfaceQueries < mesh.report.denseQueries / 3, `${mesh.report.surfaceQueries} queries`);
  t.equal(mesh.report.denseQueries, 65 ** 3);
});

tap.test('every format holds the mesh; the GLB passes the validator and stands as asked', async (t) => {
  const [glb] = await meshFiles(mesh, 'glb', 'ball', { unit: 0.01, up: 'z' });
  t.same(await validateGlb(glb!.bytes as Uint8Array), { errors: 0, warnings: 0, messages: [] });
  const back = await readGlb(glb!.bytes as Uint8Array);
  t.same(back.positions, mesh.positions, 'vertices stay in the frame and unit of the field');
  t.same(back.triangles, mesh.triangles);
  t.equal(back.texture.mime, 'image/png');
  const root = (await new WebIO().readBinary(glb!.bytes as Uint8Array)).getRoot();
  const node = root.listNodes().find((each) => each.getName() === 'ball')!;
  t.match(node.getExtras(), { frame: 'field', up: 'z', metresPerUnit: 0.01 });
  t.same(
    node.getMatrix().map((value) => Math.round(100 * value)),
    [1, 0, 0, 0, 0, 0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 100],
    'z becomes y',
  );
  t.same(
    (await meshFiles(mesh, 'obj', 'ball')).map(({ name }) => name),
    ['ball.obj', 'ball.mtl', 'ball.png'],
  );
  const [obj] = await meshFiles(mesh, 'obj', 'ball');
  const [ply] = await meshFiles(mesh, 'ply', 'ball');
  t.same(readObj(obj!.bytes as string).triangles, mesh.triangles);
  t.same(readPly(ply!.bytes as Uint8Array).positions, mesh.positions);
  t.equal(meshFormat('a.b/c.GLB'), 'glb');
  t.throws(() => meshFormat('mesh.stl'), { code: 'ERR_DAF_BAD_OPTION' });
});

tap.test('in a thread it gives the same mesh, tells how far it is and hears cancel', async (t) => {
  const stages = new Set<MeshStage>();
  const fractions: number[] = [];
  const onProgress = (fraction: number, stage: MeshStage): void => {
    stages.add(stage);
    fractions.push(fraction);
  };
  const other = await meshFieldInThread(field, { ...small, onProgress });
  t.same(other.positions, mesh.positions);
  t.same(other.texture.rgb, mesh.texture.rgb);
  t.ok(fractions.every((fraction, i) => fraction >= 0 && fraction <= 1 && fraction >= (fractions[i - 1] ?? 0)));
  t.ok([...stages].every((stage) => MESH_STAGES.includes(stage)));
  const abort = new AbortController();
  const running = meshFieldInThread(field, { resolution: 256, texture: 4096, signal: abort.signal });
  setTimeout(() => abort.abort(), 300);
  await t.rejects(running, { code: 'ERR_DAF_CANCELLED' });
  await t.rejects(meshFieldInThread(field, { signal: abort.signal }), { code: 'ERR_DAF_CANCELLED' });
});

tap.test('what cannot be meshed is refused with a code', async (t) => {
  const code = (options: object): unknown => t.throws(() => meshField(field, options));
  for (const bad of [{ resolution: 0 }, { texture: 10 }, { faces: -1 }, { keepShare: 2 }, { level: 0 }, { smoth: 1 }]) {
    t.match(code(bad), { code: 'ERR_DAF_BAD_OPTION' }, JSON.stringify(bad));
  }
  t.match(code({ level: 1e30, solid: false }), { code: 'ERR_DAF_BAD_DATA' }, 'no density is that high');
  t.match(code({ box: { min: [0, 0, 0], max: [1, -1, 1] } }), { code: 'ERR_DAF_BAD_ARGUMENT' });
  using untrained = Field.create({ kind: 'hashgrid', box: field.box, levels: 2, log2Entries: 8, finest: 16, occupancy: 8 });
  t.match(
    t.throws(() => meshField(untrained, small)),
    { code: /ERR_DAF_BAD_DATA/ },
    'nothing opaque',
  );
  const control = new Int32Array(new SharedArrayBuffer(12));
  control[0] = 1;
  t.match(code({ control }), { code: 'ERR_DAF_CANCELLED' });
});

tap.test('smoothing, all faces and all pieces are options', async (t) => {
  const smooth = meshField(field, { ...small, smooth: 5, faces: 0, keepShare: 0, texture: 512 });
  t.equal(smooth.report.triangles, smooth.report.surfaceTriangles);
  t.ok(smooth.report.surfaceTriangles >= mesh.report.surfaceTriangles);
  t.ok(smooth.report.stageSeconds.smooth! > 0);
  t.equal(smooth.report.stageSeconds.simplify, undefined);
});
