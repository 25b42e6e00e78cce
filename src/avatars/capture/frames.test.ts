import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { sceneFolder, writePicture, writeTransforms } from '../../fields/scenes/scenes.test.fixture.js';
import { avatarInput, type PhotoRecord } from '../input.js';

t.test(
  'a folder with transforms.json is one person whose photos know their cameras; what lies beside them is passed over',
  async (t) => {
    const folder = join(sceneFolder(t), 'Anna B');
    await writeTransforms(folder, { count: 5 });
    await writePicture(join(folder, 'images/beside.png'), 16, 12, [1, 1, 1]);
    await writePicture(join(folder, 'depth/000.png'), 8, 8, [1, 1, 1]);
    writeFileSync(join(folder, 'sparse_pc.ply'), 'no matter');
    rmSync(join(folder, 'sparse_pc.ply'));
    writeFileSync(join(folder, 'notes.txt'), 'no matter');
    const { records, people, photos, captures } = await avatarInput([folder]);
    t.match({ people, photos, captures }, { people: 1, photos: 4, captures: 1 }, 'the first of eight is held out');
    for (const record of records as PhotoRecord[]) {
      t.equal(record.identity, 'Anna_B');
      t.same(record.capture, { scene: join(folder, 'transforms.json'), frame: record.path.slice(folder.length + 1) });
    }
  },
);

t.test('among people a capture is a person like others', async (t) => {
  const folder = sceneFolder(t);
  await writeTransforms(join(folder, 'captured'), { count: 4 });
  await writePicture(join(folder, 'photographed/a.png'), 8, 8, [9, 9, 9]);
  const { records, people, captures } = await avatarInput([folder]);
  t.match({ people, captures }, { people: 2, captures: 1 });
  const known = (records as PhotoRecord[]).map(({ identity, capture }) => `${identity} ${capture !== undefined}`);
  t.same([...new Set(known)], ['captured true', 'photographed false']);
});

t.test('a capture that cannot be used is refused with its cause, and its pictures are photos', async (t) => {
  const folder = sceneFolder(t);
  await writeTransforms(join(folder, 'few'), { count: 2 });
  await writeTransforms(join(folder, 'elsewhere'), { count: 4 });
  mkdirSync(join(folder, 'outside'));
  await writePicture(join(folder, 'broken/a.png'), 8, 8, [9, 9, 9]);
  writeFileSync(join(folder, 'broken/transforms.json'), '{"frames": 3}');
  renameSync(join(folder, 'elsewhere/images/000.png'), join(folder, 'outside/000.png'));
  const { records, captures } = await avatarInput([folder]);
  t.equal(captures, 0);
  const refused = records.flatMap((record) =>
    'refused' in record ? [`${record.name.slice(folder.length + 1)} ${record.refused.code}`] : [],
  );
  t.same(refused, [
    'broken/transforms.json ERR_DAF_BAD_DATA',
    'elsewhere/transforms.json ERR_DAF_NOT_FOUND',
    'few/transforms.json ERR_DAF_BAD_DATA',
  ]);
  t.equal(records.length - refused.length, 1 + 3 + 2 + 1);
});
