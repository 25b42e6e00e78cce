import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Cluster } from '../../engine/cluster/cluster.js';
import { temporaryDirectory } from '../../testing/engine-fixture.js';
import { Field } from '../field.js';
import { selfPortrait, untrained } from '../render/portrait.test.fixture.js';
import job, { sceneName } from './job.js';

t.test('a cluster trains a scene a task, with the same bytes for any number of workers', async (t) => {
  const folder = temporaryDirectory(t);
  for (const seed of [3, 4]) {
    const scene = join(folder, `scene-${seed}`);
    mkdirSync(scene);
    using field = untrained(seed);
    await selfPortrait(field, scene);
  }
  const seen: Buffer[][] = [];
  for (const workers of [1, 2]) {
    const output = join(folder, `out-${workers}`);
    await using cluster = await Cluster.local({ workers });
    const input = join(folder, 'scene-*', 'transforms_train.json');
    const result = await (await cluster.submit(job, { input, output, params: { steps: 2 }, reducers: 1 })).result();
    t.equal(result.counters['steps'], 4);
    t.equal(result.manifest.inputs.splits, 2);
    const files = ['scene-3.safetensors', 'scene-4.safetensors', 'part-r-00000'].map((name) => join(output, name));
    seen.push(files.map((file) => readFileSync(file)));
    using trained = Field.load(files[0]!);
    t.equal(trained.kind, 'hashgrid');
    t.match(String(seen.at(-1)![2]), /^scene-3\t2\t[\d.]+\t-?[\d.]+\nscene-4\t/);
  }
  for (const [i, bytes] of seen[0]!.entries()) t.ok(bytes.equals(seen[1]![i]!));
});

t.test('what cannot be trained is said at submit, and nothing is made', async (t) => {
  const folder = temporaryDirectory(t);
  const scene = join(folder, 'scene');
  mkdirSync(scene);
  using field = untrained();
  await selfPortrait(field, scene);
  writeFileSync(join(folder, 'notes.json'), '{}');
  const output = join(folder, 'out');
  await using cluster = await Cluster.local({ workers: 1 });
  const refused = (input: string, params: Record<string, string>, code: string): Promise<unknown> =>
    t.rejects(cluster.submit(job, { input: join(folder, input), output, params }), { code }, JSON.stringify(params));
  await refused('notes.json', {}, 'ERR_DAF_BAD_DATA');
  await refused('scene', { stpes: '3' }, 'ERR_DAF_BAD_OPTION');
  await refused('scene', { steps: '0' }, 'ERR_DAF_BAD_OPTION');
  await refused('scene', { shape: 'levels=x' }, 'ERR_DAF_BAD_OPTION');
  await refused('scene', { refinePoses: 'yes' }, 'ERR_DAF_BAD_OPTION');
  t.notOk(existsSync(output));
  t.same(await cluster.jobs(), []);
});

t.test('poses that were refined lie beside the field', async (t) => {
  const folder = temporaryDirectory(t);
  using field = untrained(3);
  await selfPortrait(field, folder);
  const output = join(folder, 'out');
  await using cluster = await Cluster.local({ workers: 1 });
  const input = join(folder, 'transforms_train.json');
  const params = { steps: 24, threads: 2, refinePoses: 'true' };
  await (await cluster.submit(job, { input, output, params, reducers: 1 })).result();
  const name = sceneName(input);
  const { frames } = JSON.parse(readFileSync(join(output, `${name}.poses.json`), 'utf8'));
  t.equal(frames.length, 6);
  t.ok(frames.every(({ moved, turned }: { moved: number; turned: number }) => moved > 0 && turned > 0 && turned < 1));
});

t.test('scenes are called by their folder where the file has the usual name', (t) => {
  t.equal(sceneName('/data/fox/transforms.json'), 'fox');
  t.equal(sceneName('/data/lego/transforms_train.json'), 'lego');
  t.equal(sceneName('/data/kitchen.json'), 'kitchen');
  t.end();
});
