import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import tap from 'tap';
import { readGlb } from '../fields/mesh/export/glb.js';
import { readObj } from '../fields/mesh/export/obj.js';
import { readPly } from '../fields/mesh/export/ply.js';
import { validateGlb } from '../testing/gltf-validator.js';
import { writeDemoInput } from './demo/write_input.js';
import { avatarInput, decodeInput, encodeInput, identityOfKey, partitionPeople, personKey, photosPerSplit } from './input.js';
import { runStages } from './local.test.fixture.js';
import type { AvatarReport } from './report.js';

const FILES = [
  'avatar.glb',
  'avatar.mtl',
  'avatar.obj',
  'avatar.ply',
  'avatar.png',
  'contact-row.png',
  'field.safetensors',
  'preview.png',
  'report.json',
  'turntable.png',
];

tap.test('photos become avatars, bad ones are refused, and the job goes on', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'daf-avatars-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await writeDemoInput(folder, { people: 1, photos: 1, seed: 1 });
  await mkdir(join(folder, 'broken'));
  await writeFile(join(folder, 'broken', 'text.jpg'), 'this is no picture');
  await writeFile(join(folder, 'broken', 'empty.png'), '');
  await sharp({ create: { width: 64, height: 64, channels: 3, background: '#888' } })
    .png()
    .toFile(join(folder, 'person-01', 'no-landmarks.png'));
  const input = await avatarInput([folder]);
  const run = await runStages(input.records, { quality: 'draft', models: join(folder, 'no-such-models') });

  const names = [...run.files.keys()].filter((name) => name.startsWith('avatars/person-01/')).map((name) => name.slice(18));
  t.same(names.sort(), FILES);
  t.same([...run.volatile], ['avatars/broken/report.json', 'avatars/person-01/report.json'].sort());
  t.same(run.refused.map(({ input: name, code }) => `${name.slice(folder.length + 1)} ${code}`).sort(), [
    'broken/empty.png ERR_DAF_BAD_IMAGE',
    'broken/text.jpg ERR_DAF_BAD_IMAGE',
    'person-01/no-landmarks.png ERR_DAF_MODEL_MISSING',
  ]);
  t.equal(run.counters.get('photos.used'), 1);
  t.equal(run.counters.get('people.built'), 1);
  t.equal(run.counters.get('people.without'), 1);

  const read = (name: string): Uint8Array => run.files.get(`avatars/person-01/${name}`)!;
  const glb = read('avatar.glb');
  const verdict = await validateGlb(glb);
  t.same([verdict.errors, verdict.warnings], [0, 0], verdict.messages.slice(0, 3).join('; '));
  t.ok(glb.length <= 4 << 20, `${glb.length} bytes`);
  const mesh = await readGlb(glb);
  for (const other of [readPly(read('avatar.ply')), readObj(Buffer.from(read('avatar.obj')).toString())]) {
    t.ok(Buffer.from(other.positions.buffer).equals(Buffer.from(mesh.positions.buffer)), 'the same vertices');
    t.ok(Buffer.from(other.triangles.buffer).equals(Buffer.from(mesh.triangles.buffer)), 'the same triangles');
  }
  t.ok(mesh.parts.some((part) => part.name === 'eye_left') && mesh.parts.some((part) => part.name === 'hair'));
  const height =
    Math.max(...mesh.positions.filter((_, i) => i % 3 === 1)) - Math.min(...mesh.positions.filter((_, i) => i % 3 === 1));
  t.ok(height > 0.25 && height < 0.45, `head and neck are ${height} m high`);
  for (const [name, width, size] of [
    ['avatar.png', 512, 512],
    ['preview.png', 256, 256],
    ['turntable.png', 1024, 128],
  ] as const) {
    const meta = await sharp(read(name)).metadata();
    t.same([meta.width, meta.height], [width, size], name);
  }
  const report = JSON.parse(Buffer.from(read('report.json')).toString()) as AvatarReport;
  t.match(report.head, { expressions: 52, expressionsLeftOut: [] });
  t.ok(report.head!.residual < 0.02, `landmarks off by ${report.head!.residual} of the eye distance`);
  t.ok(report.field!.silhouetteWorst > 0.8, `field silhouette ${report.field!.silhouetteWorst}`);
  t.ok(report.likeness!.glbPsnr > 18, `GLB ${report.likeness!.glbPsnr} dB`);
  t.same(
    report.refused.map(({ code }) => code),
    ['ERR_DAF_MODEL_MISSING'],
  );
  const lost = JSON.parse(Buffer.from(run.files.get('avatars/broken/report.json')!).toString()) as AvatarReport;
  t.notOk(lost.usable);
  t.equal(lost.refused.length, 2);

  const page = Buffer.from(run.files.get('index.html')!).toString();
  t.match(page, /person-01/);
  t.match(page, /broken\/text\.jpg/);
  t.match(page, /People without a usable photo/);
  t.equal((await sharp(run.files.get('contact.png')!).metadata()).format, 'png');
});

tap.test('the smallest quality writes every file too', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'daf-avatars-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await writeDemoInput(folder, { people: 1, photos: 1, seed: 1 });
  const run = await runStages((await avatarInput([folder])).records, { quality: 'preview' });
  t.same(
    [...run.files.keys()]
      .filter((name) => name.startsWith('avatars/person-01/'))
      .map((name) => name.slice(18))
      .sort(),
    FILES,
  );
  const report = JSON.parse(Buffer.from(run.files.get('avatars/person-01/report.json')!).toString()) as AvatarReport;
  t.equal(report.quality, 'preview');
  t.ok(report.field!.silhouetteWorst > 0.8, `field silhouette ${report.field!.silhouetteWorst}`);
  t.equal((await sharp(run.files.get('avatars/person-01/avatar.png')!).metadata()).width, 256);
});

tap.test('a mistyped parameter fails at once', async (t) => {
  const photo = { name: 'a', path: '/nowhere/a.png', pathBytes: null, identity: 'a', person: 0 };
  await t.rejects(runStages([photo], { qualiti: 'high' }), { code: 'ERR_DAF_BAD_OPTION' });
  const run = await runStages([photo]);
  t.same(
    run.refused.map(({ code }) => code),
    ['ERR_DAF_NOT_FOUND'],
  );
  t.ok(run.files.has('index.html') && run.files.has('contact.png'), 'also nobody has a contact sheet');
});

tap.test('input records survive, keys spread people evenly', async (t) => {
  const photo = { name: 'ü\n', path: '/x', pathBytes: 'ff', identity: '李', person: 77 };
  t.same(decodeInput(encodeInput(photo)), photo);
  for (const bad of ['', '{}', '{"name":"a","path":"b"}', 'null']) {
    t.throws(() => decodeInput(new TextEncoder().encode(bad)), { code: 'ERR_DAF_BAD_DATA' }, bad);
  }
  t.equal(identityOfKey(personKey(photo)), '李');
  const loads = new Array<number>(4).fill(0);
  for (let person = 0; person < 10; person++) loads[partitionPeople(personKey({ person, identity: 'x' }), 4)]!++;
  t.same(loads, [3, 3, 2, 2]);
  t.equal(photosPerSplit(100_000), 32);
  t.equal(photosPerSplit(17), 2);
  t.equal(photosPerSplit(1), 1);
});
