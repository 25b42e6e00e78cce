import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { nativeFile } from '../../core/addon/index.js';
import type { TaskReport } from '../../core/contracts/report.js';
import { Cluster } from '../../engine/cluster/cluster.js';
import type { SubmitOptions } from '../../engine/cluster/options.js';
import { defineJob } from '../../engine/jobs/define.js';
import { SHIPPED_JOBS } from '../../engine/jobs/shipped.js';
import { replayAttempt } from '../../engine/worker/replay/replay.js';
import { sampleText, temporaryDirectory, writeFiles } from '../../testing/engine-fixture.js';

const program = fileURLToPath(new URL('../main.js', import.meta.url));
const cluster = await Cluster.local({ workers: 2, heartbeatMs: 100, leaseMs: 2000 });
t.teardown(() => cluster.close());

type Job = Parameters<Cluster['submit']>[0];

/** Runs a job to its end and lists its committed tasks. */
async function ran(job: Job, options: SubmitOptions): Promise<{ readonly url: string; readonly tasks: readonly TaskReport[] }> {
  const result = await (await cluster.submit(job, options)).result();
  return { url: result.output, tasks: ((await result.report()) as { tasks: TaskReport[] }).tasks };
}

function daf(...args: string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
}

const words = defineJob({
  name: 'words',
  map({ value }, emit, { counters }) {
    counters.add('lines');
    for (const word of value.match(/[A-Za-z]+/g) ?? []) emit(word, '1');
  },
  combine(word, ones, emit) {
    emit(word, String([...ones].reduce((sum, each) => sum + Number(each), 0)));
  },
  async reduce(word, counts, emit, { files }) {
    if (word === 'a') await files.put('a.txt', 'of one task');
    emit(word, String([...counts].reduce((sum, each) => sum + Number(each), 0)));
  },
  async finalize(context) {
    const parts = await Promise.all(context.outputs.map(async ({ name }) => `${name} ${(await context.read(name)).length}`));
    await context.files.put('parts.txt', parts.join('\n'));
  },
});

t.test('every attempt of a job gives the same bytes again', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'in.txt': sampleText(300, 3) });
  const { url, tasks } = await ran(words, {
    input: 'in.txt',
    cwd: folder,
    output: join(folder, 'out'),
    splitSize: 3000,
    reducers: 2,
  });
  while (existsSync(join(folder, 'out/_daf'))) await new Promise((resolve) => setTimeout(resolve, 5)); // until temporary files are gone
  for (const name of ['map-0', 'map-1', 'reduce-0', 'reduce-1', 'finalize-0']) {
    const { attempt } = tasks.find(({ task }) => task === name)!;
    t.match(await replayAttempt(url, attempt), { attempt, task: name, differs: null, differences: { length: 0 } }, name);
  }
  const maps = tasks.filter(({ task }) => task.startsWith('map-')).length;
  t.equal((await replayAttempt(url, 'reduce-1')).ran, maps + 1, 'what a reduce reads is made again');
});

t.test('steps, total order, values in memory, and plugins', async (t) => {
  const folder = temporaryDirectory(t);
  const items = Array.from({ length: 400 }, (_, i) => `line ${(i * 7919) % 1000}`);
  const sorted = await ran(SHIPPED_JOBS['sort']!, {
    input: { items },
    itemsPerSplit: 100,
    reducers: 2,
    output: join(folder, 'sorted'),
  });
  for (const { task } of sorted.tasks) t.match(await replayAttempt(sorted.url, task), { task, differs: null }, task);
  writeFiles(folder, { 'in.txt': sampleText(100, 4) });
  const plugin = nativeFile('plugins/wordcount.so');
  const counted = await ran(plugin, { input: 'in.txt', cwd: folder, output: join(folder, 'counted'), reducers: 1 });
  t.match(await replayAttempt(counted.url, 'reduce-0'), { differs: null, ran: 2 });
});

t.test('code that is not deterministic is found out, with the first record that differs', async (t) => {
  const folder = temporaryDirectory(t);
  const input = { items: ['a', 'b', 'c'] };
  const noisyMap = defineJob({
    name: 'noisy-map',
    deterministic: false,
    map: ({ value }, emit) => emit(value, value === 'b' ? String(Math.random()) : 'same'),
    reduce: (key, values, emit) => emit(key, [...values].join()),
  });
  const first = await ran(noisyMap, { input, reducers: 1, output: join(folder, 'map') });
  const mapped = await replayAttempt(first.url, 'map-0');
  t.match(mapped, { differs: 'map-0', differences: [{ name: 'held' }] });
  t.match(mapped.unsteady, /partition 0, record 1: key "b" value "0\.\d+" here, key "b" value "0\.\d+" there/);
  t.match(await replayAttempt(first.url, 'reduce-0'), { differs: 'map-0' }, 'and by those who read it');

  const noisyReduce = defineJob({
    name: 'noisy-reduce',
    deterministic: false,
    map: ({ value }, emit) => emit(value, '1'),
    reduce: (key, values, emit) => emit(key, key === 'c' ? String(Math.random()) : [...values].join()),
  });
  const second = await ran(noisyReduce, { input, reducers: 1, output: join(folder, 'reduce') });
  const told = daf('replay', join(folder, 'reduce'), 'reduce-0');
  t.equal(told.status, 1);
  t.match(
    told.stderr,
    /ERR_DAF_VERIFY: reduce-0-g0-a\S+ did not give .*part-r-00000: line 2, byte \d+: "c\\t0\.\d+" here, "c\\t0/,
  );
  t.match(told.stderr, /hint: the code is not deterministic/);
  t.match(daf('replay', join(folder, 'reduce'), 'map-0', '--json'), { status: 0, stdout: /"differences": \[\]/ });
  t.ok(second.tasks.length > 0);
});

t.test('inputs and code that are gone or have changed', async (t) => {
  const folder = temporaryDirectory(t);
  const input = join(folder, 'in.txt');
  writeFileSync(input, 'one two\n');
  utimesSync(input, 1000, 1000);
  const output = join(folder, 'out');
  const { url } = await ran(words, { input, output, reducers: 1 });
  writeFileSync(input, 'one TWO\n');
  await t.rejects(replayAttempt(url, 'map-0'), { code: 'ERR_DAF_INPUT_CHANGED', message: /in\.txt was written to/ });
  utimesSync(input, 1000, 1000);
  t.match(await replayAttempt(url, 'map-0'), { differs: 'map-0', unsteady: null }, 'as long as before');
  t.match(daf('replay', output, 'map-0').stderr, /hint: .*the input has changed since/);
  appendFileSync(input, 'more\n');
  await t.rejects(replayAttempt(url, 'map-0'), {
    code: 'ERR_DAF_INPUT_CHANGED',
    message: /had 8 bytes when the job began and has 13/,
  });
  rmSync(input);
  await t.rejects(replayAttempt(url, 'reduce-0'), { code: 'ERR_DAF_NOT_FOUND', message: /in\.txt/ });

  await t.rejects(replayAttempt(url, 'map-7'), { code: 'ERR_DAF_NOT_FOUND', hint: /map-0-g0/ });
  const code = join(output, '_replay', readdirSync(join(output, '_replay'))[0]!, 'code');
  appendFileSync(join(code, readdirSync(code)[0]!), '\n');
  await t.rejects(replayAttempt(url, 'map-0'), { code: 'ERR_DAF_BAD_DATA', message: /the code kept for job/ });
  mkdirSync(join(folder, 'empty'));
  t.match(daf('replay', join(folder, 'empty'), 'map-0'), { status: 1, stderr: /ERR_DAF_NOT_FOUND.*nothing to replay from/ });
});

t.test('a large input from memory is not kept', async (t) => {
  const folder = temporaryDirectory(t);
  const echo = defineJob({ name: 'echo', map: ({ value }, emit) => emit('', String(value.length)) });
  const { url } = await ran(echo, { input: { items: ['x'.repeat(17 << 20)] }, output: join(folder, 'out') });
  await t.rejects(replayAttempt(url, 'map-0'), { code: 'ERR_DAF_NOT_FOUND', message: /in-memory input .* was not kept/ });
});
