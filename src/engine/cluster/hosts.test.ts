import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { JobStatus } from '../../core/contracts/job.js';
import { countWords, sampleText, sortedLines, temporaryDirectory } from '../../testing/engine-fixture.js';
import { defineJob } from '../jobs/define.js';
import { SHIPPED_JOBS } from '../jobs/shipped.js';
import { Child } from '../launch/child.js';
import { freshIpcEndpoint } from '../wire/index.js';
import { Cluster } from './cluster.js';
import type { Job } from './job-handle.js';

const token = 'secret';

/** Counts words, and begins to reduce only when the file named by the parameter `go` is there: what happens between is up to the test. */
const heldBack = defineJob({
  name: 'held-back',
  text: true,
  map({ value }, emit) {
    for (const word of value.match(/[A-Za-z]+/g) ?? []) emit(word, '1');
  },
  async reduce(word, ones, emit, { params }) {
    const { existsSync } = await import('node:fs');
    while (!existsSync(String(params['go']))) await new Promise((resolve) => setTimeout(resolve, 20));
    emit(word, String([...ones].length));
  },
});

/** A coordinator and workers that take each other for other machines: nothing but the output store is shared. */
async function start(
  t: Test,
  folder: string,
  hosts: readonly string[],
): Promise<{ cluster: Cluster; workers: Child[]; addWorker(host: string): Promise<unknown> }> {
  const socket = freshIpcEndpoint();
  t.teardown(socket.remove);
  const launch = (role: 'coordinator' | 'worker', name: string, args: readonly string[]): Child => {
    const child = new Child({
      entry: new URL(`../${role}/main.js`, import.meta.url).href,
      nodeFlags: [],
      args,
      env: { DAF_TOKEN: token },
      logFile: join(folder, `${name}.log`),
    });
    t.teardown(() => child.stop());
    return child;
  };
  const timing = ['--heartbeat', '100', '--lease', '2000'];
  const coordinator = launch('coordinator', 'coordinator', [
    '--listen',
    socket.endpoint,
    '--state',
    join(folder, 'state'),
    ...timing,
  ]);
  await coordinator.ready;
  const startWorker = (host: string): Child =>
    launch('worker', host, [
      ...['--connect', socket.endpoint, '--name', host, '--host', host, '--data', join(folder, host)],
      ...['--memory', String(256 << 20), '--threads', '1'],
    ]);
  const workers = hosts.map(startWorker);
  await Promise.all(workers.map((worker) => worker.ready));
  const cluster = await Cluster.connect(socket.endpoint, { token });
  t.teardown(() => cluster.close());
  return { cluster, workers, addWorker: (host) => startWorker(host).ready };
}

t.test('map outputs and the outputs of steps are fetched from other hosts', async (t) => {
  const folder = temporaryDirectory(t);
  const { cluster } = await start(t, folder, ['north', 'south', 'west']);
  const text = sampleText(3000, 5);
  writeFileSync(join(folder, 'words.txt'), text);
  const options = { input: join(folder, 'words.txt'), splitSize: 10_000, reducers: 3 };
  const counted = await cluster.submit(SHIPPED_JOBS['wordcount']!, {
    ...options,
    output: join(folder, 'counts'),
    separator: ' ',
  });
  t.equal(await sortedLines(await counted.result()), countWords([text]));
  const used = (await (await counted.result()).report()) as { tasks: { worker: string }[] };
  t.ok(new Set(used.tasks.map(({ worker }) => worker)).size > 1, 'several hosts took part');

  const sorted = await cluster.submit(SHIPPED_JOBS['sort']!, { ...options, output: join(folder, 'sorted') });
  await sorted.result();
  const parts = readdirSync(join(folder, 'sorted')).filter((name) => name.startsWith('part-'));
  const found = Buffer.concat(parts.sort().map((name) => readFileSync(join(folder, 'sorted', name)))).toString('latin1');
  const lines = text.split(/\r?\n/);
  if (lines[lines.length - 1] === '') lines.pop();
  t.equal(
    found,
    [...lines]
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .join('\n')
      .concat('\n'),
  );
});

/** Counts words on these hosts, ends the second one by SIGKILL when all maps are committed, and lets the reduces begin. */
async function loseHost(t: Test, hosts: readonly string[], replicas: number): Promise<{ lost: number }> {
  const folder = temporaryDirectory(t);
  const { cluster, workers } = await start(t, folder, hosts);
  const text = sampleText(2000, 7);
  writeFileSync(join(folder, 'words.txt'), text);
  const go = join(folder, 'go');
  const job = await cluster.submit(heldBack, {
    input: join(folder, 'words.txt'),
    output: join(folder, 'counts'),
    splitSize: 8000,
    reducers: 2,
    replicas,
    separator: ' ',
    params: { go },
  });
  let killed = false;
  let lost = 0;
  for await (const event of job.progress()) {
    if (event.kind === 'attempt-failed') lost += event.lost.length;
    if (killed || event.kind !== 'progress' || event.status.map.committed < event.status.map.total) continue;
    killed = true;
    process.kill(workers[1]!.pid, 'SIGKILL');
    writeFileSync(go, '');
  }
  t.equal(await sortedLines(await job.result()), countWords([text]));
  t.ok(killed, 'the host was ended after the maps and before the reduces');
  return { lost };
}

/** Segment files by the name of their attempt, over the data directories of these hosts. */
function copiesOn(folder: string, hosts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const host of hosts) {
    for (const name of readdirSync(join(folder, host), { recursive: true }) as string[]) {
      const attempt = /([^/]+)\.seg$/.exec(name)?.[1];
      if (attempt !== undefined) counts.set(attempt, (counts.get(attempt) ?? 0) + 1);
    }
  }
  return counts;
}

t.test('two hosts die one after the other, and no map runs again: their copies were made anew', async (t) => {
  const folder = temporaryDirectory(t);
  const hosts = ['north', 'south', 'west', 'east'];
  const { cluster, workers } = await start(t, folder, hosts);
  const text = sampleText(2000, 9);
  writeFileSync(join(folder, 'words.txt'), text);
  const go = join(folder, 'go');
  const options = { input: join(folder, 'words.txt'), output: join(folder, 'counts'), splitSize: 4000, reducers: 2 };
  const job = await cluster.submit(heldBack, { ...options, replicas: 2, separator: ' ', params: { go } });
  const until = async (what: (status: JobStatus) => boolean): Promise<void> => {
    while (!what(await job.status())) await sleep(50);
  };
  await until(({ map }) => map.committed === map.total);
  const { map } = await job.status();
  const left = [...hosts];
  for (const gone of ['south', 'north']) {
    process.kill(workers[hosts.indexOf(gone)]!.pid, 'SIGKILL');
    left.splice(left.indexOf(gone), 1);
    // A copy that is whole stands under its name; nothing is read before both are there.
    await until(() => {
      const copies = [...copiesOn(folder, left).values()];
      return copies.length === map.total && copies.every((count) => count === 2);
    });
  }
  for (const gone of ['south', 'north']) rmSync(join(folder, gone), { recursive: true });
  writeFileSync(go, '');
  const result = await job.result();
  t.equal(await sortedLines(result), countWords([text]));
  const { tasks } = (await result.report()) as { tasks: { task: string; generation: number }[] };
  t.equal(tasks.filter(({ task }) => task.startsWith('map-')).length, map.total);
  t.ok(
    tasks.every(({ generation }) => generation === 0),
    'every task stands in its first generation',
  );
});

t.test('what maps leave in the output store outlives every worker', async (t) => {
  const folder = temporaryDirectory(t);
  const { cluster, workers, addWorker } = await start(t, folder, ['north', 'south']);
  const text = sampleText(2000, 9);
  writeFileSync(join(folder, 'words.txt'), text);
  const go = join(folder, 'go');
  const options = { input: join(folder, 'words.txt'), splitSize: 6000, reducers: 2, separator: ' ', params: { go } };
  const blob = { ...options, intermediate: 'blob' } as const;
  const mapped = async (job: Job): Promise<void> => {
    for (let status = await job.status(); status.map.committed < status.map.total; status = await job.status()) await sleep(20);
  };
  const job = await cluster.submit(heldBack, { ...blob, output: join(folder, 'counts') });
  await mapped(job);
  for (const worker of workers) process.kill(worker.pid, 'SIGKILL');
  for (const host of ['north', 'south']) rmSync(join(folder, host), { recursive: true });
  writeFileSync(go, '');
  await addWorker('west');
  const result = await job.result();
  t.equal(await sortedLines(result), countWords([text]));
  const { tasks } = (await result.report()) as { tasks: { task: string; worker: string; generation: number }[] };
  const maps = tasks.filter(({ task }) => task.startsWith('map-'));
  t.ok(maps.length > 2 && maps.every(({ worker, generation }) => generation === 0 && worker !== 'west'), 'no map ran again');

  const usual = await cluster.submit(heldBack, { ...options, output: join(folder, 'usual') });
  const [ours, theirs] = [(await usual.result()).manifest, result.manifest];
  t.same({ ...ours, job: '' }, { ...theirs, job: '' }, 'the same bytes wherever maps leave theirs');

  rmSync(go);
  const cancelled = await cluster.submit(heldBack, { ...blob, output: join(folder, 'cancelled') });
  await mapped(cancelled);
  t.ok(existsSync(join(folder, 'cancelled', '_daf')));
  await cancelled.cancel();
  for (const output of ['counts', 'cancelled']) while (existsSync(join(folder, output, '_daf'))) await sleep(20);
  t.same(readdirSync(join(folder, 'counts')).sort(), ['_replay', 'manifest.json', 'part-r-00000', 'part-r-00001', 'report.json']);
  await t.rejects(cluster.submit(heldBack, { ...options, intermediate: 'bucket' as never }), { code: 'ERR_DAF_BAD_OPTION' });
});

t.test('a host that is gone costs its maps another run, and nothing else', async (t) => {
  const { lost } = await loseHost(t, ['north', 'south'], 1);
  t.ok(lost > 0, 'maps ran again for their outputs');
});

t.test('with a second copy a host that is gone costs nothing', async (t) => {
  const { lost } = await loseHost(t, ['north', 'south', 'west'], 2);
  t.equal(lost, 0, 'no map had to run again for its output');
});
