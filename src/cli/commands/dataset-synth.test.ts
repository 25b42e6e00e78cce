import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { globSync } from 'tinyglobby';
import type { Manifest } from '../../core/contracts/manifest.js';
import { detectDataset, openDataset } from '../../faces/datasets/dataset.js';
import { listPhotos } from '../../faces/datasets/folder.js';
import { temporaryDirectory } from '../../testing/engine-fixture.js';

const program = fileURLToPath(new URL('../main.js', import.meta.url));
const folder = temporaryDirectory(t);
/** Made by one worker at a stretch. */
const whole = join(folder, 'whole');

interface Ended {
  readonly code: number | null;
  readonly answer: Record<string, unknown>;
  readonly stderr: string;
}

function start(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [program, 'dataset', ...args, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function ended(child: ChildProcess): Promise<Ended> {
  let [stdout, stderr] = ['', ''];
  child.stdout!.on('data', (chunk) => (stdout += chunk));
  child.stderr!.on('data', (chunk) => (stderr += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, answer: stdout === '' ? {} : JSON.parse(stdout), stderr };
}

const daf = (...args: readonly string[]): Promise<Ended> => ended(start(...args));
const tiny = ['--count', '14', '--mix', 'private-synthetic', '--scale', '0.125', '--seed', '9'];

t.test('a set that every reader of photos takes for what it is', async (t) => {
  const { code, answer, stderr } = await daf('synth', whole, ...tiny, '--workers', '1');
  t.equal(code, 0, stderr);
  const photos = { '2048': 2, '1024': 4, '512': 5, variant: 3 };
  t.match(answer, { rendered: true, people: 2, photos });
  t.same(readdirSync(whole).sort(), [
    '_replay',
    'dataset.json',
    'manifest.json',
    'photos',
    'photos.jsonl',
    'report.json',
    'truth',
  ]);
  t.match(JSON.parse(readFileSync(join(whole, 'dataset.json'), 'utf8')), {
    mix: 'private-synthetic',
    seed: 9,
    photos: { total: 14, ...photos },
    people: 2,
    sides: { '2048': 256, '1024': 128, '512': 64 },
    attributes: { ageYears: { least: Number, mean: Number, greatest: Number }, hairStyle: Object },
  });

  const names = [0, 1].flatMap((person) =>
    Array.from({ length: person === 0 ? 10 : 4 }, (_, i) => `person-00000${person}/photo-${String(i + 1).padStart(2, '0')}.jpg`),
  );
  const listed = await listPhotos([join(whole, 'photos')]);
  t.same(listed.refusals, []);
  t.same(
    listed.photos.map(({ path }) => path),
    names.map((name) => join(whole, 'photos', name)),
    'photos/ as a folder of people',
  );
  t.equal(await detectDataset(whole), 'list');
  const items = [];
  for await (const entry of (await openDataset('list', whole)).entries()) items.push(entry);
  t.match(
    items,
    names.map((name) => ({
      path: join(whole, 'photos', name),
      identity: name.split('/')[0],
      attributes: { ageYears: Number, hairStyle: String, category: String },
    })),
    'the set as a list',
  );
  for (const place of [whole, join(whole, 'photos')]) {
    const check = await daf('check', place);
    t.equal(check.code, 0);
    t.match(check.answer, {
      people: 2,
      photos: 14,
      hinted: 14,
      faults: {},
      sample: { decoded: 14, largest: [256, 256], damaged: [] },
    });
  }
});

t.test('a run that was killed, and one that was stopped, go on; the bytes are those of a run without either', async (t) => {
  const out = join(folder, 'cut');
  const first = start('synth', out, ...tiny, '--workers', '1');
  const gone = ended(first);
  while (globSync('_daf/*/map-1/*/files/truth/*/photo-03.json', { cwd: out }).length === 0) {
    if (first.exitCode !== null) throw new Error('it ended before it could be killed');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  t.match(await daf('synth', out, ...tiny), { code: 1, answer: { error: { code: 'ERR_DAF_CONFLICT', hint: /daf-lock/ } } });
  first.kill('SIGKILL');
  await gone;
  const other = await daf('synth', out, ...tiny, '--seed', '10');
  t.match(other, { code: 1, answer: { error: { code: 'ERR_DAF_OUTPUT_EXISTS', message: /unfinished.*seed 9/, hint: /go on/ } } });

  const second = start('synth', out, ...tiny, '--workers', '2');
  const stopping = ended(second);
  second.stderr!.on('data', (chunk) => String(chunk).includes('going on') && second.kill('SIGINT'));
  const stopped = await stopping;
  t.match(stopped, { code: 130, answer: { error: { code: 'ERR_DAF_CANCELLED', hint: /goes on/ } }, stderr: /going on: \d of 3/ });
  t.notOk(existsSync(join(out, 'manifest.json')));

  const third = await daf('synth', out, ...tiny, '--workers', '2');
  t.match(third, { code: 0, answer: { rendered: true, people: 2 }, stderr: /going on: \d of 3/ });
  const { tasks } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as { tasks: { attempt: string }[] };
  // The number after the a is that of the coordinator's start.
  const starts = new Set(tasks.map(({ attempt }) => /-a(\d+)\./.exec(attempt)![1]));
  t.ok(starts.has('1') && starts.size > 1, `tasks of the first start were kept: ${[...starts]}`);
  t.same(
    readdirSync(out).filter((name) => name.startsWith('.')),
    [],
    'its state is gone',
  );

  t.ok(readFileSync(join(out, 'manifest.json')).equals(readFileSync(join(whole, 'manifest.json'))));
  const { outputs } = JSON.parse(readFileSync(join(whole, 'manifest.json'), 'utf8')) as Manifest;
  for (const { name, bytes } of outputs) {
    if (bytes !== null && !readFileSync(join(out, name)).equals(readFileSync(join(whole, name)))) t.fail(`${name} differs`);
  }
});

t.test('a set that is there is left alone; other options need --overwrite', async (t) => {
  const before = statSync(join(whole, 'manifest.json')).mtimeMs;
  t.match(await daf('synth', whole, ...tiny), { code: 0, answer: { rendered: false, people: 2 } });
  t.match(await daf('synth', whole, ...tiny, '--scale', '0.1250'), { code: 0, answer: { rendered: false } });
  const small = ['--count', '1', '--mix', 'private-synthetic', '--scale', '0.125'];
  t.match(await daf('synth', whole, ...small), {
    code: 1,
    answer: { error: { code: 'ERR_DAF_OUTPUT_EXISTS', hint: /--overwrite/ } },
  });
  t.equal(statSync(join(whole, 'manifest.json')).mtimeMs, before);
  const anew = start('synth', whole, ...small, '--overwrite', '--workers', '1');
  const stopping = ended(anew);
  while (globSync('_daf/*/map-*/*', { cwd: whole, onlyFiles: false }).length === 0) {
    if (anew.exitCode !== null) throw new Error('it ended before it could be stopped');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  anew.kill('SIGINT');
  t.match(await stopping, { code: 130, answer: { error: { code: 'ERR_DAF_CANCELLED', hint: /without --overwrite/ } } });
  t.match(await daf('synth', whole, ...small, '--workers', '1'), {
    code: 0,
    answer: { rendered: true, people: 1 },
    stderr: /going on: \d of 2/,
  });
  t.same(globSync('photos/*/*', { cwd: whole }).sort(), [
    'photos/person-000000/photo-01.jpg',
    'photos/person-000000/photo-01.pts',
  ]);
});

t.test('options of one form do not go with the other, and nothing stays behind', async (t) => {
  const out = join(folder, 'none');
  for (const wrong of [
    ['--mix', 'private-synthetic', '--form', 'crops'],
    ['--mix', 'other'],
    ['--mix', 'private-synthetic', '--scale', '0.3'],
    ['--mix', 'private-synthetic', '--count', '70000'],
    ['--mix', 'private-synthetic', '--detach'],
    ['--workers', '2'],
    ['--scale', '0.5'],
  ]) {
    t.match(await daf('synth', out, ...wrong), { code: 1, answer: { error: { code: 'ERR_DAF_BAD_OPTION' } } }, wrong.join(' '));
  }
  const tight = await daf('synth', out, ...tiny, '--workers', '1', '--memory', '200MB');
  t.match(tight, { code: 1, answer: { error: { code: 'ERR_DAF_MEMORY_LIMIT', hint: /--memory/ } } });
  t.notOk(existsSync(out));
});
