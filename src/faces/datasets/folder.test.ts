import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import tap from 'tap';
import { openPhoto } from '../vision/source.js';
import { listPhotos, photoPath } from './folder.js';
import { identityKeys } from './names.js';

tap.test('keys are safe, distinct and stable', async (t) => {
  t.same(identityKeys(['anna', 'Bo B', 'çelik', '李']), ['anna', 'Bo_B', 'çelik', '李']);
  t.same(identityKeys(['a/b', 'a b', 'a_b', 'A_B']), ['a_b~3', 'a_b~4', 'a_b', 'A_B~2'], 'a clean name keeps its own');
  t.same(identityKeys(['..', '.', '', '\n', '...x..', 'con', 'nul.jpg']), [
    'person',
    'person~2',
    'person~3',
    'person~4',
    'x',
    '_con',
    '_nul.jpg',
  ]);
  const long = identityKeys(['x'.repeat(300), `${'x'.repeat(300)}y`, '\u{1F600}'.repeat(100)]);
  t.ok(long.every((key) => key.length <= 80 && !/\p{Cs}/u.test(key)));
  t.equal(new Set(long).size, 3);
  const many = identityKeys(Array.from({ length: 500 }, () => 'same name'));
  t.equal(new Set(many.map((key) => key.toLowerCase())).size, 500);
});

tap.test('a folder of people, loose photos, and what is neither', async (t) => {
  const dir = t.testdir({
    set: {
      anna: {
        'b.jpg': 'x',
        'a.PNG': 'x',
        deeper: { 'c.webp': 'x' },
        'b.pts': '',
        'b.jpg.json': '',
        'b.TIFF.json': '',
        'a.landmarks.json': '',
      },
      bob: { 'notes.txt': 'x' },
      empty: {},
      'c d': { '1.jpg': 'x' },
      c_d: { '1.jpg': 'x' },
      'solo.jpg': 'x',
      'solo.png': 'x',
      '.hidden': { 'a.jpg': 'x' },
      '.h.jpg': 'x',
    },
  });
  const odd = Buffer.concat([Buffer.from(join(dir, 'set', 'c_d')), Buffer.from([0x2f, 0xff, 0xfe, 0x0a]), Buffer.from('x.jpg')]);
  writeFileSync(odd, 'odd');
  symlinkSync('nowhere', join(dir, 'set', 'anna', 'broken.jpg'));
  const cwd = process.cwd();
  t.teardown(() => process.chdir(cwd));
  process.chdir(dir);
  const { identities, photos, refusals } = await listPhotos(['set']);
  t.same(
    photos.map(({ identity, name }) => [identity, name]),
    [
      ['anna', 'set/anna/a.PNG'],
      ['anna', 'set/anna/b.jpg'],
      ['anna', 'set/anna/deeper/c.webp'],
      ['c_d', 'set/c_d/1.jpg'],
      ['c_d', 'set/c_d/\uFFFD\uFFFD\nx.jpg'],
      ['c_d~2', 'set/c d/1.jpg'],
      ['solo', 'set/solo.jpg'],
      ['solo~2', 'set/solo.png'],
    ],
  );
  t.same(identities, [
    { key: 'anna', name: 'anna', capture: null },
    { key: 'c_d', name: 'c_d', capture: null },
    { key: 'c_d~2', name: 'c d', capture: null },
    { key: 'solo', name: 'solo', capture: null },
    { key: 'solo~2', name: 'solo', capture: null },
  ]);
  t.same(
    refusals.map(({ input, error }) => [input, error.code]),
    [
      ['set/anna/broken.jpg', 'ERR_DAF_NOT_FOUND'],
      ['set/bob/notes.txt', 'ERR_DAF_BAD_IMAGE'],
      ['set/empty', 'ERR_DAF_NO_INPUT'],
    ],
  );
  t.ok(photos.every((photo) => photo.path.startsWith('/')));
  const raw = photos.find((photo) => photo.pathBytes !== null)!;
  await using open = await openPhoto({ path: photoPath(JSON.parse(JSON.stringify(raw))) });
  t.equal(open.contentHash.length, 64, 'a name that is not UTF-8 opens after a trip through JSON');
  t.same(await listPhotos(['set']), { identities, photos, refusals }, 'the same every time');
});

tap.test('files and folders as inputs', async (t) => {
  const dir = t.testdir({ 'a.jpg': 'x', 'b.jpg': 'x', 'text.md': 'x', sub: { 'a.jpg': 'x' } });
  const of = (...names: string[]) => listPhotos(names.map((name) => join(dir, name)));
  const files = await of('b.jpg', 'a.jpg', 'a.jpg', 'sub/a.jpg', 'text.md');
  t.same(
    files.photos.map(({ identity, name }) => [identity, name.slice(dir.length)]),
    [
      ['a', '/a.jpg'],
      ['a~2', '/sub/a.jpg'],
      ['b', '/b.jpg'],
    ],
    'the same photo twice is one',
  );
  t.same(
    files.refusals.map(({ error }) => error.code),
    ['ERR_DAF_BAD_IMAGE'],
  );
  t.same((await of('', 'a.jpg')).photos.length, 3, 'a folder and a file of it');
  await t.rejects(of('none.jpg'), { code: 'ERR_DAF_NOT_FOUND' });
  await t.rejects(listPhotos([]), { code: 'ERR_DAF_NO_INPUT' });
  mkdirSync(join(dir, 'nothing'));
  await t.rejects(of('nothing'), { code: 'ERR_DAF_NO_INPUT' });
});

tap.test('folders that may not be read are refused, the rest goes on', async (t) => {
  const dir = t.testdir({ open: { 'a.jpg': 'x' }, shut: { 'b.jpg': 'x' } });
  chmodSync(join(dir, 'shut'), 0);
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid!('nobody');
  const { photos, refusals } = await listPhotos([dir]).finally(() => {
    if (root) process.seteuid!(0);
    chmodSync(join(dir, 'shut'), 0o700);
  });
  t.equal(photos.length, 1);
  t.same(
    refusals.map(({ error }) => error.code),
    ['ERR_DAF_PERMISSION'],
  );
});
