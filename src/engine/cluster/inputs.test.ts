import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { InputFormat, Split } from '../../core/contracts/job.js';
import { temporaryDirectory, writeFiles } from '../../testing/engine-fixture.js';
import { type InputFile, listInputs } from './inputs.js';
import { cutSplits, type SplitOptions } from './splits.js';

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

t.test('files keep the names that were typed', async (t) => {
  const folder = temporaryDirectory(t);
  mkdirSync(join(folder, 'a/deep'), { recursive: true });
  mkdirSync(join(folder, 'sub'));
  writeFiles(folder, { 'x1.txt': '', 'x2.txt': '', 'odd[1].txt': '', 'a/é.txt': '', 'a/Z.txt': '', 'a/deep/line\nbreak': '' });
  symlinkSync(folder, join(folder, 'a/circle'));
  symlinkSync(join(folder, 'x1.txt'), join(folder, 'link.log'));
  const cases: [string[], string[]][] = [
    [['../x*.txt'], ['../x1.txt', '../x2.txt']],
    [['./../x1.txt'], ['./../x1.txt']],
    [['../l*.log'], ['../link.log']],
    [['../a'], ['../a/Z.txt', '../a/deep/line\nbreak', '../a/é.txt']],
    [['../a/'], ['../a/Z.txt', '../a/deep/line\nbreak', '../a/é.txt']],
    [['../a/**'], ['../a/Z.txt', '../a/deep/line\nbreak', '../a/é.txt']],
    [['../odd[1].txt'], ['../odd[1].txt']],
    [
      [`${folder}/x{2,1}.txt`, '../x1.txt'],
      [`${folder}/x1.txt`, `${folder}/x2.txt`, '../x1.txt'],
    ],
    [['../**/*.txt'], ['../a/Z.txt', '../a/é.txt', '../odd[1].txt', '../x1.txt', '../x2.txt']],
  ];
  mkdirSync(join(folder, 'broken/fol\nder/deep'), { recursive: true });
  mkdirSync(join(folder, 'broken/.hidden/x'), { recursive: true });
  writeFiles(folder, {
    ...{ 'broken/fol\nder/a.dat': '', 'broken/fol\nder/deep/b.dat': '', 'broken/c.dat': '' },
    ...{ 'broken/.hidden/d.dat': '', 'broken/.hidden/x/e.dat': '', 'broken/.f.dat': '' },
  });
  const all = ['../broken/c.dat', '../broken/fol\nder/a.dat', '../broken/fol\nder/deep/b.dat'];
  cases.push(
    [['../broken/**'], all],
    [['../broken/**/*.dat'], all],
    [['../br*/**/b.dat'], all.slice(2)],
    [['../broken/*/*.dat'], all.slice(1, 2)],
    [['../{broken/c,x1}.{dat,txt}'], ['../broken/c.dat', '../x1.txt']],
    [['../broken/.h*/*.dat'], ['../broken/.hidden/d.dat']],
    [['../broken/**/.f*'], ['../broken/.f.dat']],
    [['../broken/@(c|d).dat'], all.slice(0, 1)],
    [
      ['../broken/[b-d].dat', '../broken/?.dat'],
      [...all.slice(0, 1), ...all.slice(0, 1)],
    ],
  );
  for (const [inputs, names] of cases) {
    const files = await collect(listInputs(inputs, join(folder, 'sub')));
    t.same(
      files.map(({ name }) => name),
      names,
      inputs.join(' '),
    );
  }
  await t.rejects(collect(listInputs(['../nothing*'], join(folder, 'sub'))), { code: 'ERR_DAF_NO_INPUT' });
  await t.rejects(collect(listInputs(['../x1.txt', 'gone.txt'], join(folder, 'sub'))), { code: 'ERR_DAF_NO_INPUT' });
  await t.rejects(collect(listInputs(['.'], join(folder, 'sub'))), { code: 'ERR_DAF_NO_INPUT' }, 'an empty directory');
});

t.test('names that are not UTF-8 are refused by name', async (t) => {
  const folder = temporaryDirectory(t);
  const odd = (...bytes: number[]): Buffer => Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(bytes)]);
  const sub = join(folder, 'good');
  mkdirSync(sub);
  writeFileSync(odd(0x67, 0x6f, 0x6f, 0x64, 0x2f, 0xe9, 0x2e, 0x74), 'latin-1');
  const wanted = { code: 'ERR_DAF_UNSUPPORTED', message: /good.*not UTF-8/, hint: /rename/ };
  for (const input of [sub, `${sub}/*`, `${folder}/**/*.t`]) await t.rejects(collect(listInputs([input], '/')), wanted, input);
  t.same(await collect(listInputs([`${folder}/**/*.none`, folder], '/')).catch(({ code }) => code), 'ERR_DAF_NO_INPUT');
  mkdirSync(odd(0xe9));
  await t.rejects(collect(listInputs([`${folder}/*/*.none`], '/')), { code: 'ERR_DAF_UNSUPPORTED', message: /not UTF-8/ });
  await t.rejects(collect(listInputs(['caf\ufffd.txt'], folder)), { code: 'ERR_DAF_NO_INPUT', hint: /UTF-8/ });
});

t.test('a folder that cannot be read is listed as such', async (t) => {
  const folder = temporaryDirectory(t);
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'closed'));
  chmodSync(join(folder, 'closed'), 0);
  const root = process.geteuid?.() === 0; // who reads everything
  if (root) process.seteuid!('nobody');
  const listed = await collect(listInputs([folder], '/')).finally(() => root && process.seteuid!(0));
  t.match(listed, [{ name: `${folder}/closed`, unreadable: true }]);
  if (root) process.seteuid!('nobody');
  const matched = await collect(listInputs([`${folder}/**/*.txt`], '/')).finally(() => root && process.seteuid!(0));
  t.match(matched, [{ name: `${folder}/closed`, unreadable: true }], 'nor is it passed over below a pattern');
  chmodSync(join(folder, 'closed'), 0o700);
});

async function* files(...sizes: number[]): AsyncGenerator<InputFile> {
  for (const [i, bytes] of sizes.entries()) yield { name: `f${i}`, path: `/f${i}`, bytes, version: null, unreadable: false };
}

const most = Number.MAX_SAFE_INTEGER;

async function shape(format: InputFormat, options: Partial<SplitOptions>, ...sizes: number[]): Promise<string[]> {
  const splits: Split[] = await collect(cutSplits(files(...sizes), format, { splitBytes: 100, filesPerSplit: most, ...options }));
  return splits.map(({ pieces }) => pieces.map(({ name, offset, length }) => `${name}:${offset}+${length}`).join(' '));
}

t.test('splits', async (t) => {
  t.same(await shape({ kind: 'lines' }, {}, 250), ['f0:0+100', 'f0:100+100', 'f0:200+50']);
  t.same(await shape({ kind: 'lines' }, {}, 40, 40, 40, 0, 10), ['f0:0+40 f1:0+40', 'f2:0+40 f3:0+0 f4:0+10']);
  t.same(await shape({ kind: 'lines' }, {}, 130, 60), ['f0:0+100', 'f0:100+30 f1:0+60']);
  t.same(await shape({ kind: 'fixed', bytes: 30 }, {}, 300), ['f0:0+90', 'f0:90+90', 'f0:180+90', 'f0:270+30']);
  t.same(await shape({ kind: 'files' }, {}, 250, 10, 10), ['f0:0+250', 'f1:0+10 f2:0+10']);
  t.same(await shape({ kind: 'files' }, { filesPerSplit: 2 }, 1, 1, 1, 1, 1), ['f0:0+1 f1:0+1', 'f2:0+1 f3:0+1', 'f4:0+1']);
  t.same(await shape({ kind: 'lines' }, {}), []);
});
