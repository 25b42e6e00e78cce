import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { validateBytes } from 'gltf-validator';
import tap from 'tap';
import { addModel } from '../faces/models/add.js';
import { readGlb } from '../fields/mesh/export/glb.js';
import { sharedData } from '../testing/engine-fixture.js';
import { writeDemoInput } from './demo/write_input.js';
import { ARKIT_NAMES } from './export/arkit.js';
import { embeddedHead } from './head.js';
import { chosenHead, headFile } from './head_choice.js';
import { avatarInput } from './input.js';
import { runStages } from './local.test.fixture.js';
import { avatarOptions } from './options.js';
import { partTexture } from './part_texture.js';
import type { AvatarReport } from './report.js';

const home = await mkdtemp(join(tmpdir(), 'daf-home-'));
process.env['DAF_HOME'] = home;
tap.teardown(() => rm(home, { recursive: true, force: true }));

tap.test('a head is chosen by name', async (t) => {
  t.equal(await chosenHead('embedded'), embeddedHead());
  await t.rejects(chosenHead('ict-facekit'), { code: 'ERR_DAF_MODEL_MISSING', hint: /embedded/ });
  t.equal(avatarOptions({}).head, 'embedded');
  t.equal(avatarOptions({ head: 'ict-facekit' }).head, 'ict-facekit');
  t.throws(() => avatarOptions({ head: '../x' }), { code: 'ERR_DAF_BAD_OPTION' });
});

tap.test('a head without a painter gets a colour a part', async (t) => {
  const head = embeddedHead();
  const size = 256;
  const texture = partTexture(head, size);
  const at = (u: number, v: number): number[] =>
    [...texture.subarray(4 * (Math.floor(v * size) * size + Math.floor(u * size)))].slice(0, 4);
  const vertex = (part: string, share: number): number[] => {
    const { firstVertex, vertexCount } = head.info.parts.find(({ name }) => name === part)!;
    const r = firstVertex + Math.floor(share * vertexCount);
    return at(head.uv[2 * r]!, head.uv[2 * r + 1]!);
  };
  t.strictSame(vertex('eye_left', 0), [16, 12, 12, 255], 'the pupil');
  t.ok(
    vertex('eye_left', 0.99).every((value) => value > 150),
    'the white',
  );
  const [r, g, b] = vertex('skin', 0.5) as [number, number, number];
  t.ok(r > g && g > b && r > 120, `skin ${r} ${g} ${b}`);
  t.ok(vertex('teeth_upper', 0.5)[2]! > 150);
  t.notOk(
    texture.some((value, i) => i % 4 === 3 && value !== 255),
    'no texel was left empty',
  );
});

const shared = sharedData();
const real = shared === null ? null : join(shared, 'heads', 'ict_facekit');
tap.test(
  'an avatar with the ICT-FaceKit head',
  { skip: real === null || !existsSync(real) ? 'no ICT-FaceKit data' : false },
  async (t) => {
    const registry = join(home, 'models');
    await addModel(real!, { registry });
    const folder = await mkdtemp(join(tmpdir(), 'daf-ict-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    await writeDemoInput(folder, { people: 1, photos: 2, seed: 4 });
    const run = await runStages((await avatarInput([folder])).records, { quality: 'draft', head: 'ict-facekit' });
    t.strictSame(run.refused, []);
    const report = JSON.parse(Buffer.from(run.files.get('avatars/person-01/report.json')!).toString()) as AvatarReport;
    t.match(report.head, { model: 'ict-facekit', expressions: 51, expressionsLeftOut: ['tongueOut'], hair: 'prior' });
    t.ok(report.head!.residual < 0.025, `landmarks off by ${report.head!.residual} of the eye distance`);
    t.ok(report.likeness!.glbPsnr > 17, `GLB ${report.likeness!.glbPsnr} dB`);
    const bytes = run.files.get('avatars/person-01/avatar.glb')!;
    t.ok(bytes.length <= 4 << 20, `${bytes.length} bytes`);
    const { issues } = await validateBytes(bytes);
    t.strictSame([issues.numErrors, issues.numWarnings], [0, 0], 'the validator finds nothing');
    const glb = await readGlb(bytes);
    t.strictSame([...glb.expressionNames].sort(), ARKIT_NAMES.filter((name) => name !== 'tongueOut').sort());
    const names = glb.parts.map(({ name }) => name);
    t.ok(['skin', 'eye_right', 'eye_left', 'teeth'].every((name) => names.includes(name)));
    const centre = (name: string): number => {
      const { firstVertex, vertexCount } = glb.parts.find((part) => part.name === name)!;
      const xs = Array.from({ length: vertexCount }, (_, i) => glb.positions[3 * (firstVertex + i)]!);
      return (Math.min(...xs) + Math.max(...xs)) / 2;
    };
    const apart = centre('eye_left') - centre('eye_right');
    t.ok(apart > 0.055 && apart < 0.072, `eyes ${apart} m apart`);
    await appendFile(join(registry, 'ict-facekit', 'head.safetensors'), 'x');
    await t.rejects(headFile('ict-facekit'), { code: 'ERR_DAF_VERIFY' });
  },
);
