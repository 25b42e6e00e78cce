import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { loadSharp } from '../../core/sharp.js';
import { Cluster } from '../../engine/cluster/cluster.js';
import type { JobResult } from '../../engine/cluster/result.js';
import { Field } from '../field.js';
import job from './job.js';
import { encodePng } from './pictures.js';
import { untrained } from './portrait.test.fixture.js';
import { planShot } from './shot.js';
import { assembleTiles, encodeRendered } from './tile.js';

const params = { frames: 5, size: '50x40', tiles: 3 };
const quick = { heartbeatMs: 100, leaseMs: 1500 };

function scratch(t: { teardown(fn: () => void): void }): { folder: string; input: string } {
  const folder = mkdtempSync(join(tmpdir(), 'daf-render-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const input = join(folder, 'f.safetensors');
  using field = untrained();
  field.saveFile(input);
  return { folder, input };
}

/** Every output file by its name, the manifest among them; the report tells of times and is another in every run. */
function bytesOf({ manifest }: JobResult, output: string): Map<string, Buffer> {
  const names = manifest.outputs.map(({ name }) => name).filter((name) => name !== 'report.json');
  return new Map([...names, 'manifest.json'].map((name) => [name, readFileSync(join(output, name))]));
}

test('a cluster renders the same turntable with 1, 2 and 4 workers, and with one of them killed', async (t) => {
  const { folder, input } = scratch(t);
  const killed = join(folder, 'killed-once');
  const runs = [
    { workers: 1 },
    { workers: 2 },
    { workers: 4 },
    { workers: 2, env: { DAF_FAILPOINT: 'task.map-record:3:kill', DAF_FAILPOINT_ONCE: killed } },
  ];
  let first: Map<string, Buffer> | undefined;
  for (const [i, run] of runs.entries()) {
    const output = join(folder, `out-${i}`);
    await using cluster = await Cluster.local({ ...quick, ...run });
    const result = await (await cluster.submit(job, { input, output, params, reducers: 3 })).result();
    t.equal(result.counters['pixels'], 5 * 50 * 40);
    t.equal(result.manifest.inputs.splits, 15, 'a task for every band of every frame');
    const bytes = bytesOf(result, output);
    first ??= bytes;
    t.same([...bytes.keys()], [...first.keys()]);
    for (const [name, each] of bytes) t.ok(each.equals(first.get(name)!), `${name}: the same bytes`);
  }
  t.ok(existsSync(killed), 'a worker was killed on the way');
  const sharp = await loadSharp();
  t.match(await sharp(first!.get('turntable.webp'), { animated: true }).metadata(), {
    pages: 5,
    width: 50,
    pageHeight: 40,
    hasAlpha: true,
  });
});

test('frames of the job are those of the field, and wrong parameters are refused before anything runs', async (t) => {
  const { folder, input } = scratch(t);
  await using cluster = await Cluster.local({ ...quick, workers: 1 });
  const output = join(folder, 'png');
  const texts = { frames: '2', size: '30', background: 'white' };
  const result = await (
    await cluster.submit(job, { input, output, reducers: 1, params: { ...texts, format: 'png', tiles: 2 } })
  ).result();
  t.same(
    result.manifest.outputs.map(({ name }) => name),
    ['frames/000000.png', 'frames/000001.png', 'part-r-00000', 'report.json'],
  );
  using field = Field.load(input);
  const { cameras, look } = await planShot(field, texts);
  for (const [i, camera] of cameras.entries()) {
    const expected = await encodePng(field.render(camera, look));
    t.ok(readFileSync(join(output, `frames/00000${i}.png`)).equals(expected), `frame ${i}`);
  }
  const refused = async (
    wanted: string,
    options: { input?: string | string[]; params?: Record<string, string> },
  ): Promise<void> => {
    await t.rejects(cluster.submit(job, { input, output: join(folder, 'none'), ...options }), { code: wanted });
    t.notOk(existsSync(join(folder, 'none')), 'nothing stays behind');
  };
  await refused('ERR_DAF_BAD_OPTION', { params: { format: 'gif' } });
  await refused('ERR_DAF_BAD_OPTION', { params: { frames: '0' } });
  await refused('ERR_DAF_BAD_OPTION', { params: { framse: '3' } });
  await refused('ERR_DAF_BAD_ARGUMENT', { input: [input, input] });
  const broken = join(folder, 'broken.safetensors');
  writeFileSync(broken, readFileSync(input).subarray(0, 200));
  await refused('ERR_DAF_BAD_DATA', { input: broken });
});

test('tiles that do not cover their frame are an error', (t) => {
  const tile = (row: number, rows: number): Uint8Array =>
    encodeRendered({ width: 2, height: 3, row, rgba: new Uint8Array(2 * rows * 4).fill(row + 1) });
  t.same([...assembleTiles([tile(1, 2), tile(0, 1)]).rgba], [...Array(8).fill(1), ...Array(16).fill(2)]);
  t.throws(() => assembleTiles([tile(0, 1)]), { code: 'ERR_DAF_BAD_DATA' });
  t.throws(() => assembleTiles([]), { code: 'ERR_DAF_BAD_DATA' });
  t.end();
});
