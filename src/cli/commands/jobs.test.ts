import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { isRunning, temporaryDirectory, writeFiles } from '../../testing/engine-fixture.js';

const program = fileURLToPath(new URL('../main.js', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(cwd: string, args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [program, ...args], { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function daf(cwd: string, ...args: string[]): Promise<Ended> {
  return ended(start(cwd, args));
}

async function ended(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (chunk) => (stdout += chunk));
  child.stderr!.on('data', (chunk) => (stderr += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

const sorted = (text: string): string[] => text.trim().split('\n').sort();

t.test('run, verify and what they say when something is wrong', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'a.txt': 'the cat\nthe dog\n' });
  const run = await daf(
    folder,
    'run',
    'wordcount',
    '--input',
    '*.txt',
    '--output',
    'out',
    '--separator',
    ' ',
    '--workers',
    '2',
    '--json',
  );
  t.equal(run.code, 0, run.stderr);
  const { manifest } = JSON.parse(run.stdout) as { manifest: { outputs: { name: string }[] } };
  t.same(
    manifest.outputs.map(({ name }) => name),
    ['part-r-00000', 'part-r-00001', 'report.json'],
  );
  const parts = ['part-r-00000', 'part-r-00001'].map((name) => readFileSync(join(folder, 'out', name), 'utf8'));
  t.same(sorted(parts.join('')), ['cat 1', 'dog 1', 'the 2']);

  const verified = await daf(folder, 'verify', 'out', '--json');
  t.match(JSON.parse(verified.stdout), { records: 3, problems: [] });
  writeFileSync(join(folder, 'out/part-r-00000'), `${parts[0]}!`);
  const damaged = await daf(folder, 'verify', 'out');
  t.equal(damaged.code, 1);
  t.match(damaged.stderr, /ERR_DAF_VERIFY.*part-r-00000 has \d+ bytes instead of/);

  const again = await daf(folder, 'run', 'wordcount', '-i', 'a.txt', '-o', 'out', '--workers', '1', '--json');
  t.equal(again.code, 1);
  t.match(JSON.parse(again.stdout), { error: { code: 'ERR_DAF_OUTPUT_EXISTS', hint: /--overwrite/ } });
  const wrong = await daf(folder, 'run', 'wordcont', '-i', 'a.txt', '-o', 'new');
  t.match(wrong, { code: 1, stderr: /ERR_DAF_NOT_FOUND.*\n.*did you mean "wordcount"/ });
  t.match(await daf(folder, 'run', 'wordcount', '-i', 'a.txt', '-o', 'new', '--workers', 'many'), {
    code: 1,
    stderr: /ERR_DAF_BAD_OPTION.*--workers/,
  });
  t.notOk(existsSync(join(folder, 'new')), 'nothing is left of what never began');
});

t.test('a TypeScript file is a job, and a program', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, {
    'lengths.ts': `import { Cluster, defineJob, isMain } from 'daf';
      const job = defineJob({ name: 'lengths', module: import.meta.url,
        map({ value }, emit) { emit(String(value.length), value); },
        reduce(length, values, emit) { let n: number = 0; for (const _ of values) n++; emit(length, String(n)); } });
      export default job;
      if (isMain(import.meta)) {
        await using cluster = await Cluster.local({ workers: 1 });
        const { records } = (await (await cluster.submit(job, { input: { items: ['a', 'b', 'cc'] } })).result()).manifest.inputs;
        process.stdout.write(\`\${records} records\\n\`);
      }`,
    'in.txt': 'x\nyy\nz\n',
  });
  t.match(await daf(folder, 'run', 'lengths.ts'), { code: 0, stdout: '3 records\n' });
  t.match(await daf(folder, 'run', 'lengths.ts', '-i', 'in.txt', '-o', 'out', '-w', '1', '--separator', ':'), { code: 0 });
  t.same(sorted(readFileSync(join(folder, 'out/part-r-00000'), 'utf8')), ['1:2', '2:1']);
});

t.test('Ctrl-C cancels the job and leaves nothing running', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, {
    'in.txt': 'x\n',
    'endless.ts': `import { defineJob } from 'daf';
      import { writeFileSync } from 'node:fs';
      export default defineJob({ name: 'endless', async map(_, emit, context) {
        writeFileSync(context.params.pids, String(process.pid));
        for (;;) { context.checkCancelled(); await new Promise((r) => setTimeout(r, 5)); } } });`,
  });
  const pids = join(folder, 'pids');
  const child = start(folder, ['run', 'endless.ts', '-i', 'in.txt', '-o', 'out', '-w', '1', '--param', `pids=${pids}`]);
  const end = ended(child);
  while (!existsSync(pids) || readFileSync(pids, 'utf8') === '') await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGINT');
  const { code, stderr } = await end;
  t.equal(code, 130);
  t.match(stderr, /ERR_DAF_CANCELLED/);
  t.notOk(existsSync(join(folder, 'out/manifest.json')));
  t.equal(isRunning(Number(readFileSync(pids, 'utf8'))), false);
});

t.test('a coordinator and a worker started by hand; submit, jobs, status, cancel', async (t) => {
  const folder = temporaryDirectory(t);
  writeFiles(folder, { 'a.txt': 'one two two\n' });
  const env = { DAF_TOKEN: 'a secret of this test' };
  const coordinator = start(folder, ['coordinator', '--listen', 'tcp://127.0.0.1:0', '--state', 'state'], env);
  t.teardown(() => coordinator.kill('SIGKILL'));
  let endpoint = '';
  for await (const line of createInterface({ input: coordinator.stderr! })) {
    endpoint = /listening on (\S+)/.exec(line)?.[1] ?? '';
    if (endpoint !== '') break;
  }
  const worker = start(folder, ['worker', '--connect', endpoint, '--data', 'data'], env);
  t.teardown(() => worker.kill('SIGKILL'));
  const ask = (...args: string[]) => ended(start(folder, [...args, '--connect', endpoint], env));

  const submitted = await ask('submit', 'wordcount', '-i', 'a.txt', '-o', 'out', '--json');
  t.equal(submitted.code, 0, submitted.stderr);
  t.equal(readFileSync(join(folder, 'out/part-r-00000'), 'utf8'), 'one\t1\ntwo\t2\n');
  const jobs = JSON.parse((await ask('jobs', '--json')).stdout) as { id: string; phase: string }[];
  t.match(jobs, [{ phase: 'done', name: 'wordcount' }]);
  t.match(await ask('status', jobs[0]!.id), { code: 0, stdout: /done +100%/ });
  t.match(await ask('jobs', '--workers', '--json'), { stdout: /"threads": 1/ });
  t.match(await ask('status', 'no-such-job'), { code: 1, stderr: /ERR_DAF_NO_SUCH_JOB/ });
  t.match(await ask('cancel', jobs[0]!.id), { code: 1, stdout: /done/ }, 'what is done cannot be cancelled');
  t.match(await daf(folder, 'jobs', '--connect', endpoint, '--token', 'wrong'), { code: 1, stderr: /ERR_DAF_PERMISSION/ });

  worker.kill('SIGTERM');
  coordinator.kill('SIGTERM');
  const codes = await Promise.all([worker, coordinator].map((child) => once(child, 'exit')));
  t.same(
    codes.map(([code]) => code),
    [0, 0],
  );
});
