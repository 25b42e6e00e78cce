import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import type { InputFormat } from '../../core/contracts/job.js';
import type { Manifest } from '../../core/contracts/manifest.js';
import { sampleText, temporaryDirectory, writeFiles } from '../../testing/engine-fixture.js';
import { zstdFrame } from '../../testing/zstd-frame.js';
import { defineJob } from '../jobs/define.js';
import { Cluster } from './cluster.js';
import { JobResult } from './result.js';
import { verifyOutput } from './verify.js';

const cluster = await Cluster.local({ workers: 2, heartbeatMs: 100, leaseMs: 2000 });
t.teardown(() => cluster.close());

const text = sampleText(2000, 5);
const bytes = Buffer.byteLength(text);
const lines = text.split('\n').length;

t.test('every byte of the input was consumed once, whatever the input', async (t) => {
  const folder = temporaryDirectory(t);
  const unpacked = gzipSync(text);
  const zstd = Buffer.concat(text.match(/[\s\S]{1,400}/g)!.map((part) => zstdFrame(part)));
  writeFiles(folder, {
    'a.txt': text,
    'b.txt': 'a single line',
    'empty.txt': '',
    'c.gz': unpacked,
    'e.zst': zstd,
    'd.dat': 'x'.repeat(3000),
  });
  const cases: [InputFormat, string[], number, number][] = [
    [{ kind: 'lines' }, ['a.txt', 'b.txt', 'empty.txt'], bytes + 13, lines + 1],
    [{ kind: 'lines' }, ['c.gz'], unpacked.length, lines],
    [{ kind: 'lines' }, ['e.zst'], zstd.length, lines],
    [{ kind: 'files' }, ['a.txt', 'b.txt', 'empty.txt'], bytes + 13, 3],
    [{ kind: 'fixed', bytes: 100 }, ['d.dat'], 3000, 30],
  ];
  for (const [i, [input, names, inputBytes, inputRecords]] of cases.entries()) {
    const job = defineJob({ name: 'sizes', input, map: ({ value }, emit) => emit('', String(value.length)) });
    const output = join(folder, `out${i}`);
    await (await cluster.submit(job, { input: names, cwd: folder, output, splitSize: 777 })).result();
    t.match(await verifyOutput(output), { inputBytes, inputRecords, problems: { length: 0 } }, `${input.kind} ${names}`);
  }
});

t.test('a manifest that does not account for all input is found out', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'a.txt': text });
  const job = defineJob({ name: 'nothing', map() {} });
  const output = join(folder, 'out');
  await (await cluster.submit(job, { input: 'a.txt', cwd: folder, output, splitSize: 777 })).result();
  const file = join(output, 'manifest.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  const { read, mapped } = manifest.inputs;
  const cases: [Partial<Manifest['inputs']>, RegExp][] = [
    [{ read: { ...read, bytes: read.bytes - 1 } }, /of which \d+ were read/],
    [{ read: { ...read, seams: (read.seams + 1) >>> 0 } }, /gaps and overlaps/],
    [{ mapped: mapped - 1 }, /records, of which \d+ were mapped/],
  ];
  for (const [change, problem] of cases) {
    writeFileSync(file, JSON.stringify({ ...manifest, inputs: { ...manifest.inputs, ...change } }));
    t.match((await verifyOutput(output)).problems, [{ name: 'manifest.json' }, { name: 'the input', problem }]);
  }
});

t.test('a manifest that was edited is found out, however well it fits the files', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'a.txt': text });
  const job = defineJob({ name: 'lines', map: ({ value }, emit) => emit(value, '') });
  const output = join(folder, 'out');
  await (await cluster.submit(job, { input: 'a.txt', cwd: folder, output, params: { p: '1' } })).result();
  const file = join(output, 'manifest.json');
  const written = readFileSync(file, 'utf8');
  const manifest = JSON.parse(written) as Manifest;
  t.same((await verifyOutput(output)).problems, []);
  const { sha256, ...unsealed } = manifest;
  const changed = [{ name: 'manifest.json', problem: 'was changed after the job had written it' }];
  const cases: [string, string, object[]][] = [
    ['a param', written.replace('"p": "1"', '"p": "2"'), changed],
    ['an output left out', JSON.stringify({ ...manifest, outputs: [] }), [...changed, { name: 'part-m-00000' }]],
    ['a member twice', written.replace('{', '{ "job": "other",'), changed],
    ['a space', `${written} `, changed],
    ['a checksum of something else', written.replace(String(sha256), '0'.repeat(64)), changed],
    ['no checksum', JSON.stringify(unsealed), [{ name: 'manifest.json', problem: 'has no checksum of its own' }]],
  ];
  for (const [what, bytes, problems] of cases) {
    t.not(bytes, written, what);
    writeFileSync(file, bytes);
    t.match((await verifyOutput(output)).problems, problems, what);
    if (problems[0] === changed[0]) await t.rejects(JobResult.open(pathToFileURL(output).href), { code: 'ERR_DAF_VERIFY' }, what);
  }
});

t.test('files that the manifest does not name are listed, and parts among them are no part of the result', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'a.txt': text });
  const job = defineJob({ name: 'lines', map: ({ value }, emit) => emit(value, '') });
  const output = join(folder, 'out');
  await (await cluster.submit(job, { input: 'a.txt', cwd: folder, output })).result();
  t.same((await verifyOutput(output)).strays, []);
  writeFiles(output, { 'README.txt': 'mine' });
  t.match(await verifyOutput(output), { strays: ['README.txt'], problems: { length: 0 } });
  writeFiles(output, { 'part-r-00007': 'old\n' });
  t.match(await verifyOutput(output), {
    strays: ['README.txt', 'part-r-00007'],
    problems: [{ name: 'part-r-00007', problem: 'is no output of this job' }],
  });
});
