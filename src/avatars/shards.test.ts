import { execFileSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import sharp from 'sharp';
import tap from 'tap';
import { pack } from 'tar-stream';
import { ZipFile } from 'yazl';
import { checkDataset } from '../faces/datasets/check.js';
import { type DatasetItem, detectDataset, openDataset } from '../faces/datasets/dataset.js';
import { readMember } from '../faces/datasets/shards/member.js';
import { facePoints } from '../faces/models/onnx.test.fixture.js';
import { openVision } from '../faces/vision/prepare.js';
import { datasetInput } from './dataset_input.js';
import { observe } from './observe.js';

type Files = Readonly<Record<string, Uint8Array | string>>;

async function tarOf(files: Files): Promise<Buffer> {
  const tar = pack();
  for (const [name, bytes] of Object.entries(files)) tar.entry({ name }, Buffer.from(bytes));
  tar.entry({ name: 'anna/link.jpg', type: 'symlink', linkname: '/etc/passwd' });
  tar.finalize();
  return buffer(tar);
}

async function zipOf(files: Files, compress: boolean): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, bytes] of Object.entries(files)) zip.addBuffer(Buffer.from(bytes), name, { compress });
  zip.end();
  return buffer(zip.outputStream);
}

async function entriesOf(path: string) {
  const items: DatasetItem[] = [];
  const faults: string[] = [];
  for await (const entry of (await openDataset('shards', path)).entries()) {
    if ('fault' in entry) faults.push(`${entry.name.slice(path.length + 1)} ${entry.fault.code}`);
    else items.push(entry);
  }
  return { items, faults };
}

const long = `${'deep/'.repeat(40)}photo.png`;
const picture = await sharp({ create: { width: 200, height: 200, channels: 3, background: '#a08070' } })
  .png()
  .toBuffer();
const face = facePoints();
const points = `version: 1\nn_points: 68\n{\n${Array.from({ length: 68 }, (_, i) => `${50 + 100 * face[2 * i]!} ${50 + 100 * face[2 * i + 1]!}`).join('\n')}\n}\n`;

tap.test('photos in archives are read where they lie, people are the same in all of them', async (t) => {
  const dir = t.testdir();
  writeFileSync(
    join(dir, '0.tar'),
    await tarOf({ 'anna/1.png': picture, 'anna/1.pts': points, [`anna/${long}`]: picture, 'ben.png': picture }),
  );
  writeFileSync(join(dir, '1.zip'), await zipOf({ 'anna/2.png': picture, 'notes.txt': 'x', '.hidden.png': 'x' }, true));
  writeFileSync(join(dir, '2.zip'), await zipOf({ './carla/3.png': picture }, false));
  writeFileSync(join(dir, '3.tar.gz'), 'x');
  t.equal(await detectDataset(dir), 'shards');
  t.equal(await detectDataset(join(dir, '0.tar')), 'shards');
  const { items, faults } = await entriesOf(dir);
  t.same(faults.sort(), [
    '0.tar/anna/link.jpg ERR_DAF_BAD_IMAGE',
    '1.zip/notes.txt ERR_DAF_BAD_IMAGE',
    '3.tar.gz ERR_DAF_UNSUPPORTED',
  ]);
  t.same(
    items.map(({ identity }) => identity),
    ['anna', 'anna', 'ben', 'anna', 'carla'],
  );
  for (const { path, member } of items) t.same(Buffer.from(await readMember(path, member!)), picture);
  t.match(await checkDataset(dir, 'auto', 10), {
    kind: 'shards',
    people: 3,
    photos: 5,
    bytes: 5 * picture.length,
    sample: { decoded: 5, smallest: [200, 200], damaged: [] },
  });
  const input = await datasetInput(await openDataset('shards', dir), { photos: null, people: null });
  const record = input.first!;
  t.match(record, { name: `${dir}/0.tar/anna/1.png`, identity: 'anna' });
  const vision = await openVision({ models: { detector: null, landmarks: null } });
  t.teardown(() => vision.dispose());
  const observation = await observe(record, vision, new Int32Array(new SharedArrayBuffer(16)));
  t.match(observation, { photo: record.name, source: 'sidecar' }, 'landmarks beside it in the archive are used');
});

tap.test('what is damaged is refused by name, the rest is used', async (t) => {
  const dir = t.testdir();
  const cut = join(dir, 'cut.tar');
  writeFileSync(cut, await tarOf({ 'anna/1.png': picture, 'ben/2.png': picture }));
  truncateSync(cut, 512 + 512 * Math.ceil(picture.length / 512) + 512 + 20);
  const zip = await zipOf({ 'carla/3.png': picture, 'dora/4.png': picture }, true);
  const wrong = Buffer.from(zip);
  wrong[60] = wrong[60]! ^ 0x55;
  writeFileSync(join(dir, 'wrong.zip'), wrong);
  writeFileSync(join(dir, 'headless.zip'), zip.subarray(0, zip.length - 30));
  writeFileSync(join(dir, 'text.tar'), 'no archive, '.repeat(100));
  execFileSync('mkfifo', [join(dir, 'pipe.tar')]);
  const { items, faults } = await entriesOf(dir);
  t.same(faults.sort(), [
    'cut.tar ERR_DAF_BAD_DATA',
    'headless.zip ERR_DAF_BAD_DATA',
    'pipe.tar ERR_DAF_BAD_DATA',
    'text.tar ERR_DAF_BAD_DATA',
  ]);
  t.same(
    items.map(({ identity }) => identity),
    ['anna', 'ben', 'carla', 'dora'],
  );
  const [anna, ben, carla, dora] = items;
  const read = ({ path, member }: DatasetItem): Promise<Uint8Array> => readMember(path, member!);
  t.same(Buffer.from(await read(anna!)), picture);
  await t.rejects(read(ben!), { code: 'ERR_DAF_BAD_IMAGE' }, 'it ends in the middle');
  await t.rejects(read(carla!), { code: 'ERR_DAF_BAD_IMAGE' }, 'its bytes are others');
  t.same(Buffer.from(await read(dora!)), picture);
});

tap.test('a photo that would inflate to more than it says, or to too much, takes no memory', async (t) => {
  const dir = t.testdir();
  const path = join(dir, 'bomb.zip');
  writeFileSync(path, await zipOf({ 'a.png': Buffer.alloc(8 << 20) }, true));
  const { items } = await entriesOf(path);
  const member = items[0]!.member!;
  t.ok(member.packed < 20_000 && readFileSync(path).length < 20_000);
  await t.rejects(readMember(path, { ...member, bytes: 1000 }), { code: 'ERR_DAF_BAD_IMAGE' });
  await t.rejects(readMember(path, { ...member, bytes: 1 << 30 }), { code: 'ERR_DAF_IMAGE_TOO_LARGE' });
});
