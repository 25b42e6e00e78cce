import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import tap from 'tap';
import { type Dataset, type DatasetItem, detectDataset, openDataset } from '../faces/datasets/dataset.js';
import { jsonMembers } from '../faces/datasets/json-stream.js';
import { facePoints } from '../faces/models/onnx.test.fixture.js';
import { openVision } from '../faces/vision/prepare.js';
import { datasetInput } from './dataset_input.js';

async function all(dataset: Dataset) {
  const items: DatasetItem[] = [];
  const faults: string[] = [];
  for await (const entry of dataset.entries()) {
    if ('fault' in entry) faults.push(`${entry.name.split('/').at(-1)} ${entry.fault.code}`);
    else items.push(entry);
  }
  return { items, faults };
}

const LANDMARK_NAMES =
  'lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y';

function celeba(names: readonly string[]) {
  const rows = (columns: string): string => names.map((name) => `${name} ${columns}\n`).join('');
  return {
    Anno: {
      'identity_CelebA.txt': names.map((name, i) => `${name} ${7 + (i % 2)}\n`).join(''),
      'list_attr_celeba.txt': `${names.length}\nSmiling Young \n${rows(' 1 -1')}`,
      'list_landmarks_celeba.txt': `${names.length}\n${LANDMARK_NAMES} \n${rows('165  184  244  176  196  249  194  271  266  260')}`,
      'list_bbox_celeba.txt': `${names.length}\nimage_id x_1 y_1 width height\n${rows('   95  71 226 313')}`,
    },
    Eval: { 'list_eval_partition.txt': rows('2') },
    Img: { img_celeba: Object.fromEntries(names.map((name) => [name, 'x'])) },
  };
}

const NAMES = ['000001.jpg', '000002.jpg', '000003.jpg', '000004.jpg'];

tap.test('CelebA: people, attributes, points, boxes and split, side by side', async (t) => {
  const dir = t.testdir(celeba(NAMES));
  t.equal(await detectDataset(dir), 'celeba');
  const { items, faults } = await all(await openDataset('celeba', dir));
  t.same(faults, []);
  t.same(
    items.map(({ identity }) => identity),
    ['7', '8', '7', '8'],
  );
  t.same(items[0]!.attributes, { Smiling: 1, Young: -1, split: 'test' });
  t.same(items[0]!.hint!.box, { x: 95, y: 71, width: 226, height: 313 });
  t.same(items[0]!.hint!.points5!.slice(0, 2), [165.5, 184.5]);
  t.equal(items[0]!.name, `${dir}/Img/img_celeba/000001.jpg`);
  const input = await datasetInput(await openDataset('celeba', dir), { photos: null, people: 1 });
  t.match(input, { people: 1, photos: 2, leftOut: 2, refused: 0 });
  const records = [];
  for await (const record of input.records()) records.push(record);
  t.match(records, [
    { identity: '7', person: 0, attributes: { Smiling: 1, Young: -1 } },
    { identity: '7', person: 0 },
  ]);
});

tap.test('CelebA: what is missing or of nobody is a fault, one by one', async (t) => {
  const tree = celeba(NAMES);
  tree.Anno['identity_CelebA.txt'] = '000001.jpg 7\n000003.jpg x\n000004.jpg 9\n000005.jpg 9\n';
  (tree.Img.img_celeba as Record<string, string>)['000009.jpg'] = 'x';
  const dir = t.testdir(tree);
  const { items, faults } = await all(await openDataset('celeba', dir));
  t.same(
    items.map(({ identity }) => identity),
    ['7', '9'],
  );
  t.same(faults.filter((fault) => fault.startsWith('000002')).length, 5, 'each of four lists, and the photo itself');
  t.ok(faults.includes('000003.jpg ERR_DAF_BAD_DATA') && faults.includes('000009.jpg ERR_DAF_BAD_DATA'));
  t.ok(faults.includes('000005.jpg ERR_DAF_NOT_FOUND'));
});

tap.test('CelebA: damaged lists are told with file and line', async (t) => {
  const cases: [keyof ReturnType<typeof celeba>['Anno'], string, RegExp][] = [
    [
      'list_bbox_celeba.txt',
      '5\nimage_id x_1 y_1 width height\n000001.jpg 1 2 3 4\n',
      /bbox_celeba\.txt:1: says 5 lines and has 1/,
    ],
    ['list_bbox_celeba.txt', '1\nimage_id x_1 y_1 width height\n000001.jpg 1 2 3\n', /:3: 3 columns/],
    ['list_bbox_celeba.txt', '1\nimage_id x_1 y_1 width height\n000001.jpg 1 2 three 4\n', /:3: "three" is not a number/],
    ['list_landmarks_celeba.txt', '1\nlefteye_x\n000001.jpg 1\n', /:2: 1 names of columns, expected 10/],
    ['list_attr_celeba.txt', 'Smiling\n000001.jpg 1\n', /:1: .* not the number of lines/],
    ['identity_CelebA.txt', '000001.jpg 7\n000001.jpg 7\n', /:2: 000001\.jpg comes twice/],
    ['identity_CelebA.txt', '000002.jpg 7\n000001.jpg 7\n', /:2: .*must rise/],
  ];
  for (const [file, text, message] of cases) {
    const tree = celeba(NAMES);
    tree.Anno[file] = text;
    const dir = t.testdir(tree);
    const dataset = await openDataset('celeba', dir);
    await t.rejects(datasetInput(dataset, { photos: null, people: null }), { code: 'ERR_DAF_BAD_DATA', message }, file);
  }
  const dir = t.testdir({ img_align_celeba: { '000001.jpg': 'x' }, 'list_attr_celeba.txt': '' });
  await t.rejects(openDataset('celeba', dir), { code: 'ERR_DAF_NOT_FOUND', message: /identity_CelebA/ });
});

tap.test('CelebA-HQ by its mapping', async (t) => {
  const mapping =
    'idx     orig_idx     orig_file\n0       119613       119614.jpg\n1       99094        099095.jpg\n2  5 000006.jpg\n';
  const tree = { 'CelebA-HQ-to-CelebA-mapping.txt': mapping, 'CelebA-HQ-img': { '0.jpg': 'x', '1.jpg': 'x', '7.jpg': 'x' } };
  const dir = t.testdir(tree);
  t.equal(await detectDataset(dir), 'celeba-hq');
  const alone = await all(await openDataset('celeba-hq', dir));
  t.same(
    alone.items.map(({ identity, attributes }) => [identity, attributes['celeba']]),
    [
      ['hq-00000', '119614.jpg'],
      ['hq-00001', '099095.jpg'],
    ],
  );
  t.same(alone.faults, ['2.jpg ERR_DAF_NOT_FOUND', '7.jpg ERR_DAF_BAD_DATA']);
  writeFileSync(join(dir, 'identity_CelebA.txt'), '099095.jpg 12\n119614.jpg 12\n');
  const known = await all(await openDataset('celeba-hq', dir));
  t.same(
    known.items.map(({ identity }) => identity),
    ['12', '12'],
  );
});

tap.test('FFHQ: landmarks of the JSON, scaled to the copy, need no model', async (t) => {
  const dir = t.testdir();
  const points = facePoints();
  const of1024 = Array.from({ length: 68 }, (_, i) => [256 + 512 * points[2 * i]!, 256 + 512 * points[2 * i + 1]!]);
  const image = { file_path: 'images1024x1024/00000/00000.png', pixel_size: [1024, 1024], face_landmarks: of1024 };
  const entry = { category: 'training', metadata: { license: 'CC "}{" BY', author: 'Ünal' }, image };
  const json = JSON.stringify({ 0: entry, 1: entry, 2: { ...entry, image: { ...image, face_landmarks: [[1, 2]] } } }, null, 1);
  writeFileSync(join(dir, 'ffhq-dataset-v2.json'), json);
  mkdirSync(join(dir, 'images256x256', '00000'), { recursive: true });
  const grey = sharp({ create: { width: 256, height: 256, channels: 3, background: '#888' } });
  for (const name of ['00000', '00002'])
    await grey
      .clone()
      .png()
      .toFile(join(dir, 'images256x256', '00000', `${name}.png`));
  t.equal(await detectDataset(dir), 'ffhq');
  const { items, faults } = await all(await openDataset('ffhq', dir));
  t.same(faults, ['00001.png ERR_DAF_NOT_FOUND', '00002.png ERR_DAF_BAD_LANDMARKS']);
  t.match(items, [{ identity: '00000', attributes: { category: 'training', license: 'CC "}{" BY', author: 'Ünal' } }]);
  const vision = await openVision({ models: { detector: null, landmarks: null } });
  const face = await vision.prepare({ path: items[0]!.path, hint: items[0]!.hint });
  const { transform, landmarks } = face;
  const x = landmarks.points[72]! / transform.scale + transform.originX;
  t.ok(Math.abs(x - (of1024[36]![0]! + 0.5) / 4) < 0.01, 'a quarter of 1024');
  const far = { size: null, points68: of1024.flat(), points5: null, box: null };
  await t.rejects(vision.prepare({ path: items[0]!.path, hint: far }), { code: 'ERR_DAF_BAD_LANDMARKS' }, 'not of this size');
});

tap.test('one large JSON object, and what is none', async (t) => {
  const dir = t.testdir();
  const file = join(dir, 'a.json');
  const read = async (text: string) => {
    writeFileSync(file, text);
    const keys: string[] = [];
    for await (const { key } of jsonMembers(file)) keys.push(key);
    return keys;
  };
  const many = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`k${i}`, { text: '\\"}{][,', deep: [[{ i }]] }]));
  t.same(await read(JSON.stringify(many)), Object.keys(many), 'over several chunks');
  t.same(await read('{}'), []);
  for (const text of ['', '[]', '{"a": {}', '{"a": 1}', '{"a": {}} {"b": {}}', '{"a": {"b": }}', '{"a": {}}}', 'x{"a":{}}']) {
    await t.rejects(read(text), { code: 'ERR_DAF_BAD_DATA' }, text);
  }
});

tap.test('lists of photos', async (t) => {
  const dir = t.testdir({ 'a.jpg': 'x', sub: { 'b.jpg': 'x' } });
  const read = async (name: string, text: string) => {
    writeFileSync(join(dir, name), text);
    return all(await openDataset('list', join(dir, name)));
  };
  t.equal(await detectDataset(join(dir, 'a.jpg')), 'folders');
  const tabs = await read('l.tsv', '# photos\na.jpg\tAnna B\r\nsub/b.jpg\n\na.jpg\tAnna B\nnone.jpg\tx\n');
  t.equal(await detectDataset(join(dir, 'l.tsv')), 'list');
  t.same(
    tabs.items.map(({ identity }) => identity),
    ['Anna_B', 'b'],
  );
  t.same(tabs.faults, ['a.jpg ERR_DAF_BAD_DATA', 'none.jpg ERR_DAF_NOT_FOUND']);
  const json = await read('l.jsonl', '{"path":"a.jpg","person":"anna","box":[1,2,3,4],"attributes":{"age":30}}\n');
  await t.rejects(read('nested.jsonl', '{"path":"a.jpg","attributes":{"age":[30]}}\n'), { code: 'ERR_DAF_BAD_DATA' });
  await t.rejects(read('long.jsonl', `{"path":"a.jpg","attributes":{"a":"${'x'.repeat(9000)}"}}\n`), {
    code: 'ERR_DAF_BAD_DATA',
  });
  t.match(json.items, [{ identity: 'anna', hint: { box: { x: 1, y: 2, width: 3, height: 4 } }, attributes: { age: 30 } }]);
  for (const text of ['{', '{"person":"a"}', '{"path":"a.jpg","box":[1,2,3]}', '{"path":"a.jpg","landmarks":[[1,2]]}']) {
    await t.rejects(read('l.jsonl', text), { code: 'ERR_DAF_BAD_DATA', message: /l\.jsonl:1/ }, text);
  }
});

tap.test('many refusals are summed up, none is lost', async (t) => {
  const dir = t.testdir({ 'a.jpg': 'x' });
  const lines = Array.from({ length: 1500 }, (_, i) => `none-${i}.jpg\n`).join('');
  writeFileSync(join(dir, 'l.tsv'), `a.jpg\n${lines}`);
  const input = await datasetInput(await openDataset('list', join(dir, 'l.tsv')), { photos: null, people: null });
  t.match(input, { photos: 1, refused: 1500 });
  const records = [];
  for await (const record of input.records()) records.push(record);
  t.equal(records.length, 1002);
  t.match(records.at(-1), { refused: { code: 'ERR_DAF_NOT_FOUND', message: '500 more are refused for the same reason' } });
});
