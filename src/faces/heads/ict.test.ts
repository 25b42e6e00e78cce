import { existsSync } from 'node:fs';
import { appendFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import tap from 'tap';
import { addon } from '../../core/addon/index.js';
import { sharedData } from '../../testing/engine-fixture.js';
import { addModel } from '../models/add.js';
import { embeddedModels } from '../models/embedded.js';
import { listPacks, removePack, verifyPack } from '../models/registry.js';
import { resolveModels } from '../models/resolve.js';
import { floatToHalf, halfToFloat } from './half.js';
import { SMALL_LAYOUT, smallDelta, smallNeutral, writePackedIct, writePublishedIct } from './ict.test.fixture.js';

tap.test('halves are read and rounded as IEEE says', async (t) => {
  for (let half = 0; half < 65_536; half++) {
    const value = halfToFloat(half);
    if (!Number.isNaN(value) && floatToHalf(value) !== half) t.fail(`${half} came back as ${floatToHalf(value)}`);
  }
  t.equal(floatToHalf(1 + 2 ** -11), 0x3c00, 'a tie goes to the even neighbour below');
  t.equal(floatToHalf(1 + 3 * 2 ** -11), 0x3c02, 'and above');
  t.equal(floatToHalf(2047.6), floatToHalf(2048));
  t.equal(floatToHalf(1e6), 0x7c00);
  t.equal(halfToFloat(0x3555).toFixed(4), '0.3333');
});

tap.test('both forms of ICT-FaceKit become the same head, kept among the models', async (t) => {
  const dir = t.testdir();
  const registry = join(dir, 'home', 'models');
  await writePublishedIct(join(dir, 'published'));
  await writePackedIct(join(dir, 'packed'));
  const said: string[] = [];
  const options = { registry, ictLayout: SMALL_LAYOUT, announce: (line: string) => void said.push(line) };
  const added = await addModel(join(dir, 'published'), options);
  t.match(added.pack, { name: 'ict-facekit', licence: /^MIT/, files: [{ file: 'head.safetensors', adapter: 'daf-head' }] });
  t.match(said.join('\n'), /licence: MIT/);
  t.ok(existsSync(join(registry, 'ict-facekit', 'LICENSE')), 'the licence came along');
  t.equal((await addModel(join(dir, 'packed'), options)).unchanged, true, 'the same bytes from the packed form');

  const native = addon();
  const head = native.headLoad(join(registry, 'ict-facekit', 'head.safetensors'));
  const info = native.headInfo(head);
  t.strictSame(
    info.expressionNames,
    ['browInnerUp', 'eyeBlinkLeft', 'eyeBlinkRight', 'eyeLookOutLeft', 'jawOpen'],
    "ARKit's names",
  );
  t.strictSame(
    info.parts.map(({ name, triangleCount }) => [name, triangleCount]),
    [
      ['skin', 6],
      ['mouth', 2],
      ['socket', 2],
      ['eye_right', 2],
      ['eye_left', 2],
      ['mouth_gums', 2],
      ['teeth', 2],
    ],
  );
  const mode = new Float32Array(3 * info.positionCount);
  native.headMode(head, 'expression', 0, mode);
  const [left, right] = [smallDelta(3), smallDelta(4)];
  const sums = left.map((value, k) => value + right[k]!);
  const still = sums.some((value, k) => mode[k] !== value && Math.hypot(...sums.subarray(k - (k % 3), k - (k % 3) + 3)) > 0.1);
  t.notOk(still, 'halves of a shape are added up, but for what hardly moves');
  native.headMode(head, 'expression', info.expressionNames.indexOf('eyeLookOutLeft'), mode);
  t.ok(Math.abs(mode[3 * 32 + 2]! - Math.sin(0.52)) < 1e-3, 'the near edge of the left eyeball comes forward');
  t.ok(Math.abs(mode[3 * 33 + 2]! + Math.sin(0.52)) < 1e-3, 'and the far one goes back');
  t.strictSame([...mode.slice(3 * 28, 3 * 32)], [...smallDelta(8).slice(3 * 28, 3 * 32)], 'the right one stays with the shape');
  native.headMode(head, 'identity', 2, mode);
  t.strictSame(mode, smallDelta(2));
  const mean = new Float32Array(mode.length);
  native.headShape(head, new Float32Array(0), new Float32Array(0), mean);
  const neutral = smallNeutral();
  t.strictSame(
    [...mean],
    [...neutral].map((value, k) => value - [0, 1, 9][k % 3]!),
    'the origin lies midway between the eyes',
  );
  const [source, uv] = [new Uint32Array(info.vertexCount), new Float32Array(2 * info.vertexCount)];
  const mirror = new Uint32Array(info.positionCount);
  native.headTopology(head, source, uv, new Uint32Array(3 * info.triangleCount), mirror);
  t.strictSame([...mirror.subarray(28, 36)], [33, 32, 35, 34, 29, 28, 31, 30], 'the eyes mirror each other');
  t.ok(uv.every((value) => value >= 0 && value <= 1));
  const squares = Array.from({ length: info.vertexCount / 4 }, (_, i) =>
    [0, 1].map((k) => [0, 1, 2, 3].map((c) => uv[8 * i + 2 * c + k]!)),
  );
  const apart = (a: number[], b: number[]): boolean => Math.min(...a) >= Math.max(...b) || Math.min(...b) >= Math.max(...a);
  squares.forEach(([u, v], i) => {
    for (const [u2, v2] of squares.slice(i + 1)) t.ok(apart(u!, u2!) || apart(v!, v2!), `square ${i} has the texture for itself`);
  });

  t.strictSame(
    await resolveModels({}, { DAF_HOME: join(dir, 'home') }),
    embeddedModels(),
    'a head is no model that looks at photos',
  );
  const [pack] = await listPacks(registry);
  t.match(await verifyPack(registry, pack!), [{ state: 'ok' }]);
  await appendFile(join(registry, 'ict-facekit', 'head.safetensors'), 'x');
  t.match(await verifyPack(registry, pack!), [{ state: 'changed' }]);
  await removePack(registry, 'ict-facekit');
  t.strictSame(await listPacks(registry), []);
});

tap.test('what is wrong in the files is said by their names', async (t) => {
  const dir = t.testdir();
  const registry = join(dir, 'models');
  const refused = async (
    what: string,
    message: RegExp,
    write: typeof writePackedIct,
    spoil: (folder: string) => Promise<unknown>,
  ) => {
    const folder = join(dir, what.replaceAll(/\W/g, '-'));
    await write(folder);
    await spoil(folder);
    const adding = addModel(folder, { registry, ictLayout: SMALL_LAYOUT });
    await t.rejects(adding, { code: 'ERR_DAF_BAD_MODEL', message }, what);
  };
  const face = (folder: string, name: string): string => join(folder, 'FaceXModel', name);
  const edit = async (file: string, from: string | RegExp, to: string): Promise<void> =>
    writeFile(file, (await readFile(file, 'utf8')).replace(from, to));
  const identity = 'identity_delta_3x40x3_f16.bin';
  await refused('cut array', /identity_delta.*718 bytes, expected 720/, writePackedIct, (f) => truncate(join(f, identity), 718));
  await refused('not finite', /identity_delta.*not finite/, writePackedIct, (f) =>
    writeFile(join(f, identity), new Uint8Array(720).fill(0xff)),
  );
  await refused('no names', /names\.json.*no JSON/, writePackedIct, (f) => truncate(join(f, 'names.json'), 9));
  await refused('no identities', /identity000\.obj.*missing/, writePublishedIct, (f) => rm(face(f, 'identity000.obj')));
  await refused('a missing shape', /jawOpen\.obj: is missing/, writePublishedIct, (f) => rm(face(f, 'jawOpen.obj')));
  await refused('a cut shape', /jawOpen\.obj: \d+ vertices, expected 40/, writePublishedIct, (f) =>
    truncate(face(f, 'jawOpen.obj'), 300),
  );
  await refused('a pointer of Git LFS', /generic_neutral_mesh\.obj: 0 vertices/, writePublishedIct, (f) =>
    writeFile(face(f, 'generic_neutral_mesh.obj'), 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n'),
  );
  await refused('no number', /eyeBlink_L\.obj.*no number/, writePublishedIct, (f) =>
    edit(face(f, 'eyeBlink_L.obj'), /v \S+/, 'v nan'),
  );
  await refused('a wild face', /generic_neutral_mesh\.obj.*not there/, writePublishedIct, (f) =>
    edit(face(f, 'generic_neutral_mesh.obj'), 'f 1/', 'f 99/'),
  );
  await refused('few landmarks', /idx_to_landmark_verts/, writePublishedIct, (f) =>
    edit(face(f, 'vertex_indices.json'), '"idx_to_landmark_verts":[0,', '"idx_to_landmark_verts":['),
  );
  await refused('no teeth', /no faces of the part "teeth"/, writePublishedIct, (f) =>
    edit(face(f, 'generic_neutral_mesh.obj'), 'M_Teeth', 'M_Other'),
  );
  await refused('a path for a name', /no list of expressions/, writePublishedIct, (f) =>
    edit(face(f, 'vertex_indices.json'), 'jawOpen', '../x'),
  );
  t.strictSame(await listPacks(registry), [], 'nothing was added');
  await t.rejects(addModel('ict-facekit', { registry }), { code: 'ERR_DAF_NOT_FOUND', hint: /git clone/ });
});

const shared = sharedData();
const real = shared === null ? null : join(shared, 'heads', 'ict_facekit');
tap.test('the published head', { skip: real === null || !existsSync(real) ? 'no ICT-FaceKit data' : false }, async (t) => {
  const registry = join(t.testdir(), 'models');
  const { pack } = await addModel(real!, { registry });
  t.ok(pack.files[0]!.bytes < 26 << 20, `${pack.files[0]!.bytes} bytes`);
  const native = addon();
  const head = native.headLoad(join(registry, 'ict-facekit', 'head.safetensors'));
  const info = native.headInfo(head);
  t.equal(info.identityNames.length, 100);
  t.equal(info.expressionNames.length, 51);
  const mean = new Float32Array(3 * info.positionCount);
  native.headShape(head, new Float32Array(0), new Float32Array(0), mean);
  const at = (landmark: number): number[] => [0, 1, 2].map((k) => mean[3 * info.landmarks[landmark]! + k]!);
  t.ok(Math.abs(at(45)[0]! - at(36)[0]! - 8.92) < 0.02, 'outer corners of the eyes');
  t.ok(at(45)[0]! > 0 && at(30)[2]! > 2 && at(8)[1]! < -8, "x to the subject's left, z out of the face, y up");
  const source = new Uint32Array(info.vertexCount);
  const mirror = new Uint32Array(info.positionCount);
  native.headTopology(head, source, new Float32Array(2 * info.vertexCount), new Uint32Array(3 * info.triangleCount), mirror);
  const alone = mirror.filter((other, v) => other === v && Math.abs(mean[3 * v]!) > 0.05).length;
  const look = new Float32Array(mean.length);
  native.headMode(head, 'expression', info.expressionNames.indexOf('eyeLookUpRight'), look);
  const eye = info.parts.find(({ name }) => name === 'eye_right')!;
  const front = [...source.subarray(eye.firstVertex, eye.firstVertex + eye.vertexCount)].reduce((a, b) =>
    mean[3 * b + 2]! > mean[3 * a + 2]! ? b : a,
  );
  t.ok(look[3 * front + 1]! > 0.4, 'the front of an eyeball goes up with the gaze');
  t.ok(alone < 0.02 * info.positionCount, `${alone} vertices beside the midline have no mirror image`);
});
