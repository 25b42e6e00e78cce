import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { DafError, toWire } from '../../core/contracts/errors.js';
import { runLengths } from '../../core/contracts/generations.js';
import type { JobSpec, JobStatus } from '../../core/contracts/job.js';
import type { Manifest } from '../../core/contracts/manifest.js';
import { PROTOCOL } from '../../core/contracts/messages.js';
import type { ProcessLine } from '../../core/contracts/process.js';
import { readsOf } from '../../core/contracts/step.js';
import type { Assignment, LostOutput, Outcome } from '../../core/contracts/task.js';
import { FAILPOINTS, type FailpointName } from '../../core/failpoint.js';
import { doneOutcome, partOf, type Script, ScriptedClient, ScriptedWorker } from '../../testing/scripted-worker.js';
import { openBlobStore } from '../stores/open.js';
import { sampleSpec } from '../stores/state-conformance.js';
import { DealerSocket, freshIpcEndpoint, pack } from '../wire/index.js';

const root = mkdtempSync(join(tmpdir(), 'daf-coordinator-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));
let places = 0;

interface Coordinator {
  readonly child: ChildProcess;
  readonly endpoints: readonly string[];
  readonly term: number;
  readonly ended: Promise<{ code: number | null; signal: string | null; lines: ProcessLine[] }>;
}

/** `runCoordinator` in a process of its own, as `daf coordinator` runs it. */
async function start(t: Test, options: object, env: Record<string, string> = {}): Promise<Coordinator> {
  const script = `
    import { runCoordinator } from '${new URL('./process.js', import.meta.url).href}';
    import { coordinatorExitCode } from '${new URL('../../core/contracts/process.js', import.meta.url).href}';
    await runCoordinator(JSON.parse(process.argv[1])).catch((error) => { process.exitCode = coordinatorExitCode(error); });`;
  const given = JSON.stringify({ readyFd: 3, heartbeatMs: 50, leaseMs: 500, parentPid: process.pid, ...options });
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, given], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, ...env },
  });
  t.teardown(() => child.kill('SIGKILL'));
  const lines: ProcessLine[] = [];
  const ended = new Promise<Awaited<Coordinator['ended']>>((resolve) => {
    child.on('exit', (code, signal) => setTimeout(() => resolve({ code, signal, lines }), 10));
  });
  const first = await new Promise<ProcessLine | null>((resolve) => {
    createInterface({ input: child.stdio[3] as NodeJS.ReadableStream }).on('line', (line) => {
      lines.push(JSON.parse(line));
      resolve(lines[0]!);
    });
    void ended.then(() => resolve(null));
  });
  const ready = first?.event === 'ready' ? first : null;
  return { child, endpoints: ready?.endpoints ?? [], term: ready?.term ?? 0, ended };
}

function place(): { readonly state: string; readonly output: string; readonly url: string } {
  const at = join(root, String(places++));
  const output = join(at, 'out');
  return { state: join(at, 'state'), output, url: pathToFileURL(output).href };
}

/** Maps write an output of their own; reduces write a part file that tells what they read. */
function jobScript(spec: JobSpec): Script {
  const store = openBlobStore(spec.output);
  return async (assignment, worker) => {
    const { name, key } = partOf(spec, assignment);
    if (assignment.task.stage === 'map') {
      const { index } = assignment.task;
      const { generation, attempt } = assignment;
      const copies = [{ worker: worker.id, host: 'test', path: '/x', endpoint: null }];
      const held = { index, generation, attempt, copies, key: null, bytes: 1, crc32c: null, digest: 1 };
      return doneOutcome({
        held,
        recordsIn: 10,
        intake: { records: 10, coverage: { bytes: 100, seams: 7 } },
        counters: { lines: 10 },
      });
    }
    const outputs = await worker.inputs(spec, assignment.task);
    const bytes = Buffer.from(outputs.map(({ index, generation }) => `${index}:${generation}\n`).join(''));
    await store.put(key, bytes);
    const file = { name, key, bytes: bytes.length, records: outputs.length, crc32c: 7, volatile: false };
    const [range] = readsOf(spec, assignment.task);
    const reads = range === undefined ? [] : [{ ...range, generations: runLengths(outputs.map(({ generation }) => generation)) }];
    return doneOutcome({ outputs: [file], recordsOut: outputs.length, reads });
  };
}

function checkResult(t: Test, output: string, spec: JobSpec): Manifest {
  const manifest = JSON.parse(readFileSync(join(output, 'manifest.json'), 'utf8')) as Manifest;
  const { splits, reducers } = spec.steps[0]!;
  const read = { bytes: 100 * splits, seams: 7 * splits };
  t.same(manifest.inputs, { splits, given: spec.input, read, records: 10 * splits, mapped: 10 * splits, skipped: 0, refused: 0 });
  t.same(manifest.counters, { lines: 10 * splits });
  t.same(
    manifest.outputs.map(({ name }) => name),
    [...Array.from({ length: reducers }, (_, i) => `part-r-0000${i}`), 'report.json'],
  );
  for (let i = 0; i < reducers; i++) {
    t.equal(readFileSync(join(output, `part-r-0000${i}`), 'utf8').split('\n').length - 1, splits, 'every map once');
  }
  return manifest;
}

async function gone(path: string): Promise<boolean> {
  for (let i = 0; i < 100 && existsSync(path); i++) await new Promise((resolve) => setTimeout(resolve, 20));
  return !existsSync(path);
}

for (const transport of ['ipc', 'tcp'] as const) {
  t.test(`a job over ${transport}: assign, report, commit, publish`, async (t) => {
    const { state, output, url } = place();
    const fresh = freshIpcEndpoint();
    t.teardown(fresh.remove);
    const token = transport === 'tcp' ? 'secret' : null;
    const { endpoints, child, ended } = await start(t, {
      state,
      token,
      endpoints: [transport === 'ipc' ? fresh.endpoint : 'tcp://127.0.0.1:0'],
    });
    const spec = sampleSpec('job-1', { output: url, params: { b: '2', a: '1' } }, { splits: 40, reducers: 3 });
    const good = jobScript(spec);
    // Neither goes on before both have something to do: the first to arrive could do it all.
    const script: Script = async (assignment, worker) => {
      while (workers.some(({ assigned }) => assigned.length < 4)) await new Promise((resolve) => setTimeout(resolve, 5));
      return good(assignment, worker);
    };
    const workers = ['w1', 'w2'].map((id) => new ScriptedWorker(id, endpoints[0]!, script, { token, capacity: 4 }));
    const client = new ScriptedClient(endpoints[0]!, token);
    t.match(await client.ask((head) => ({ ...head, type: 'client-hello', protocol: PROTOCOL })), { term: 1 });
    t.match(await client.submit(spec), { id: 'job-1', phase: 'running', map: { total: 40 } });
    t.match(await client.submit(spec), { id: 'job-1' }, 'submitting twice is one job');
    void client.ask((head) => ({ ...head, type: 'watch', job: 'job-1', host: 'here', pid: 1, peakBytes: 0 }));
    const status = await client.ended('job-1');
    t.match(status, {
      phase: 'done',
      map: { committed: 40 },
      reduce: { committed: 3 },
      failedAttempts: 0,
      counters: { lines: 400 },
    });
    const manifest = checkResult(t, output, spec);
    t.same(Object.keys(manifest.params), ['a', 'b']);
    const report = JSON.parse(readFileSync(join(output, 'report.json'), 'utf8'));
    t.equal(report.tasks.length, 43);
    t.ok(report.processes.find((each: { role: string }) => each.role === 'coordinator').peakBytes > 1 << 20);
    t.ok(await gone(join(output, '_daf')), '_daf/ is removed');
    t.ok(
      workers.every(({ assigned }) => assigned.length > 3),
      'both took part',
    );
    t.ok(client.events.some(({ kind }) => kind === 'ended'));
    await t.rejects(client.submit({ ...spec, id: 'job-2' }), { code: 'ERR_DAF_OUTPUT_EXISTS' });
    await t.rejects(client.status('nobody'), { code: 'ERR_DAF_NO_SUCH_JOB' });
    t.match(await client.ask((head) => ({ ...head, type: 'jobs' })), [{ id: 'job-1', phase: 'done' }]);
    t.match(await client.ask((head) => ({ ...head, type: 'workers' })), [{ worker: 'w1' }, { worker: 'w2' }]);
    t.same((await workers[0]!.spec('job-1')).params, spec.params);
    for (const worker of workers) await worker.close();
    await client.close();
    child.kill('SIGTERM');
    t.match(await ended, { code: 0 }, 'SIGTERM is an orderly end');
  });
}

t.test('a wrong token is refused', async (t) => {
  const { endpoints } = await start(t, { state: place().state, token: 'right', endpoints: ['tcp://127.0.0.1:0'] });
  const client = new ScriptedClient(endpoints[0]!, 'wrong');
  t.teardown(() => client.close());
  await t.rejects(
    client.ask((head) => ({ ...head, type: 'jobs' })),
    { code: 'ERR_DAF_PERMISSION' },
  );
  const worker = new ScriptedWorker('w', endpoints[0]!, async () => doneOutcome());
  t.teardown(() => worker.close());
  const right = new ScriptedClient(endpoints[0]!, 'right');
  t.teardown(() => right.close());
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.same(await right.ask((head) => ({ ...head, type: 'workers' })), []);
});

t.test('a second process of one name is refused while the first is heard of, and hinders nothing', async (t) => {
  const { url, state } = place();
  const { endpoints } = await start(t, { state, endpoints: ['tcp://127.0.0.1:0'], leaseMs: 1000 });
  const spec = sampleSpec('job-1', { output: url }, { splits: 40, reducers: 1 });
  const first = new ScriptedWorker('w1', endpoints[0]!, jobScript(spec));
  const client = new ScriptedClient(endpoints[0]!);
  t.teardown(() => client.close());
  const pids = async (): Promise<number[]> =>
    ((await client.ask((head) => ({ ...head, type: 'workers' }))) as { pid: number }[]).map(({ pid }) => pid);
  while ((await pids()).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const second = new ScriptedWorker('w1', endpoints[0]!, jobScript(spec), { pid: 1 });
  t.teardown(() => second.close());
  await client.submit(spec);
  t.match(await client.ended('job-1'), { phase: 'done' });
  t.same(second.assigned, []);
  t.same(await pids(), [process.pid]);
  await first.close();
  while ((await pids()).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  const third = new ScriptedWorker('w1', endpoints[0]!, jobScript(spec), { pid: 2 });
  t.teardown(() => third.close());
  while (!(await pids()).includes(2)) await new Promise((resolve) => setTimeout(resolve, 50));
  t.pass('a name is free once its lease has ended');
});

t.test('hostile messages change nothing', async (t) => {
  const { url, state } = place();
  const { endpoints } = await start(t, { state, endpoints: ['tcp://127.0.0.1:0'] });
  const attacks: Uint8Array[][] = [
    [Buffer.alloc(0)],
    [Buffer.from([0xc1])],
    [Buffer.alloc(100_000, 0x91)],
    [pack({ type: 'submit', request: 1, token: null })],
    [pack({ type: 'submit', request: 1, token: null }), pack({ id: '../../etc' })],
    [pack({ type: 'heartbeat', worker: 'w1', seq: 1, running: [], peakBytes: 1 })],
    [pack({ type: 'reports', worker: 'w1' }), pack([])],
    [pack({ type: 'worker-bye', worker: 'w1' })],
    [pack({ type: 'map-outputs', worker: 'w1', request: 1, job: 'x', from: 2 ** 52 })],
    [Buffer.alloc(3 << 20)],
    Array.from({ length: 50 }, () => Buffer.from('x')),
  ];
  const spec = sampleSpec('job-1', { output: url }, { splits: 4, reducers: 1 });
  const worker = new ScriptedWorker('w1', endpoints[0]!, jobScript(spec));
  t.teardown(() => worker.close());
  for (const frames of attacks) {
    await new Promise<void>((resolve) => {
      const attacker = new DealerSocket(endpoints[0]!, {
        onMessage() {},
        onConnected() {
          void attacker.send(frames);
          setTimeout(() => void attacker.close().then(resolve), 20);
        },
      });
    });
  }
  const client = new ScriptedClient(endpoints[0]!);
  t.teardown(() => client.close());
  await client.submit(spec);
  t.match(await client.ended('job-1'), { phase: 'done' });
});

t.test('a malformed report is answered and fails its attempt; what it was sent with counts', async (t) => {
  const { url, state } = place();
  const { endpoints } = await start(t, { state, endpoints: ['tcp://127.0.0.1:0'] });
  const spec = sampleSpec('job-1', { output: url, maxAttempts: 2 }, { splits: 2, reducers: 1 });
  const good = jobScript(spec);
  const worker = new ScriptedWorker('w1', endpoints[0]!, async (assignment, self) =>
    assignment.task.index === 1 ? doneOutcome({ recordsIn: -1 }) : good(assignment, self),
  );
  t.teardown(() => worker.close());
  const client = new ScriptedClient(endpoints[0]!);
  t.teardown(() => client.close());
  await client.submit(spec);
  t.match(await client.ended('job-1'), {
    phase: 'failed',
    error: { code: 'ERR_DAF_TASK_FAILED', cause: { code: 'ERR_DAF_PROTOCOL', message: /^malformed report of map-1-/ } },
  });
  const verdicts = worker.verdicts.map(({ attempt, verdict }) => `${attempt.slice(0, 5)} ${verdict}`).sort();
  t.same(verdicts, ['map-0 committed', 'map-1 failure-noted', 'map-1 failure-noted']);
});

t.test('a failing task fails the job with its cause, on different workers', async (t) => {
  const { url, state, output } = place();
  const { endpoints } = await start(t, { state, endpoints: ['tcp://127.0.0.1:0'] });
  const spec = sampleSpec('job-1', { output: url, maxAttempts: 3 }, { splits: 3, reducers: 1 });
  const good = jobScript(spec);
  const script: Script = async (assignment, worker) =>
    assignment.task.stage === 'map' && assignment.task.index === 1
      ? { kind: 'failed', error: toWire(new DafError('ERR_DAF_USER_CODE', 'boom', { hint: 'fix it' })), lost: [] }
      : good(assignment, worker);
  const workers = ['w1', 'w2'].map((id) => new ScriptedWorker(id, endpoints[0]!, script));
  const client = new ScriptedClient(endpoints[0]!);
  t.teardown(async () => {
    for (const each of [...workers, client]) await each.close();
  });
  const registered = (): Promise<unknown> => client.ask((head) => ({ ...head, type: 'workers' }));
  while (((await registered()) as unknown[]).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  await client.submit(spec);
  const status = await client.ended('job-1');
  t.match(status, {
    phase: 'failed',
    failedAttempts: 3,
    error: { code: 'ERR_DAF_TASK_FAILED', hint: 'fix it', cause: { code: 'ERR_DAF_USER_CODE' } },
  });
  const on = workers.map(({ assigned }) => assigned.filter(({ task }) => task.stage === 'map' && task.index === 1).length);
  t.ok(
    on.every((count) => count >= 1),
    `attempts per worker ${on}`,
  );
  t.notOk(existsSync(join(output, 'manifest.json')));
  t.ok(await gone(join(output, '_daf')));
});

t.test('cancel removes what there is; two outputs of one name fail the job', async (t) => {
  const { url, state, output } = place();
  const { endpoints } = await start(t, { state, endpoints: ['tcp://127.0.0.1:0'] });
  const client = new ScriptedClient(endpoints[0]!);
  t.teardown(() => client.close());
  const spec = sampleSpec('cancelled', { output: url }, { splits: 2, reducers: 0 });
  await openBlobStore(url).put('_daf/cancelled/job.json', Buffer.from('{}'));
  await client.submit(spec);
  await client.ask((head) => ({ ...head, type: 'cancel', job: 'cancelled' }));
  t.match(await client.ended('cancelled'), { phase: 'cancelled', error: { code: 'ERR_DAF_CANCELLED' } });
  t.ok(await gone(join(output, '_daf')));

  const clash = sampleSpec('clash', { output: url }, { splits: 2, reducers: 0 });
  const store = openBlobStore(url);
  const worker = new ScriptedWorker('w1', endpoints[0]!, async (assignment) => {
    const key = partOf(clash, assignment).key;
    await store.put(key, Buffer.from('x'));
    return doneOutcome({ outputs: [{ name: 'same', key, bytes: 1, records: null, crc32c: 1, volatile: false }] });
  });
  t.teardown(() => worker.close());
  await client.submit(clash);
  t.match(await client.ended('clash'), { phase: 'failed', error: { code: 'ERR_DAF_OUTPUT_CONFLICT' } });
  t.notOk(existsSync(join(output, 'manifest.json')));
  t.same(existsSync(output) ? readdirSync(output).filter((name) => name !== '_daf') : [], []);
});

t.test('a reduce that lost a map output waits for its next generation', async (t) => {
  const { url, state, output } = place();
  const { endpoints } = await start(t, { state, endpoints: ['tcp://127.0.0.1:0'] });
  const spec = sampleSpec('job-1', { output: url }, { splits: 4, reducers: 2 });
  const good = jobScript(spec);
  const worker = new ScriptedWorker('w1', endpoints[0]!, async (assignment, self) => {
    const outputs = await self.inputs(spec, assignment.task);
    if (outputs[2]?.generation !== 0) return good(assignment, self);
    return {
      kind: 'failed',
      error: toWire(new DafError('ERR_DAF_SEGMENT_LOST', 'map-2 is gone')),
      lost: [{ task: { step: 0, stage: 'map', index: 2 }, generation: 0 }],
    };
  });
  const client = new ScriptedClient(endpoints[0]!);
  t.teardown(async () => {
    await worker.close();
    await client.close();
  });
  await client.submit(spec);
  t.match(await client.ended('job-1'), { phase: 'done', counters: { lines: 40 } });
  t.match(readFileSync(join(output, 'part-r-00000'), 'utf8'), '0:0\n1:0\n2:1\n3:0\n');
  checkResult(t, output, spec);
});

type Point = Extract<FailpointName, `coordinator.${string}`>;

/** How a coordinator comes to a place, and what is to come of the job. */
interface Way {
  readonly spec?: Partial<JobSpec>;
  /** What workers do instead of their work; undefined: their work. */
  script?(assignment: Assignment, worker: ScriptedWorker): Promise<Outcome | undefined>;
  readonly phase?: JobStatus['phase'];
  readonly cancels?: boolean;
}

const boom = (lost: readonly LostOutput[] = []): Outcome => ({
  kind: 'failed',
  error: toWire(new DafError(lost.length > 0 ? 'ERR_DAF_SEGMENT_LOST' : 'ERR_DAF_USER_CODE', 'boom')),
  lost,
});

/** Places that are not on the way of a job that goes well. */
const WAYS: Partial<Record<Point, Way>> = {
  'coordinator.failure-counted': {
    script: async ({ task, epoch }) => (task.stage === 'map' && task.index === 1 && epoch.term === 1 ? boom() : undefined),
  },
  'coordinator.reopened': {
    async script({ task, job }, worker) {
      if (task.stage === 'map') return undefined;
      const held = (await worker.inputs(await worker.spec(job), task))[2]!;
      return held.generation > 0 ? undefined : boom([{ task: { step: 0, stage: 'map', index: 2 }, generation: 0 }]);
    },
  },
  'coordinator.copies-moved': {
    spec: { replicas: 2 },
    async script({ task }, worker) {
      while (task.stage === 'reduce' && worker.copied.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      return undefined;
    },
  },
  'coordinator.cancel': { cancels: true, phase: 'cancelled', script: () => new Promise(() => {}) },
  'coordinator.failed': {
    phase: 'failed',
    spec: { maxAttempts: 2 },
    script: async ({ task }) => (task.stage === 'map' && task.index === 1 ? boom() : undefined),
  },
};

/** A reader that waits for the manifest and looks at once for all that it lists. */
function firstLook(output: string): { readonly seen: Promise<{ missing: string[] }>; end(): void } {
  let timer: NodeJS.Timeout | undefined;
  const seen = new Promise<{ missing: string[] }>((resolve) => {
    timer = setInterval(() => {
      const path = join(output, 'manifest.json');
      if (!existsSync(path)) return;
      clearInterval(timer);
      const { outputs } = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
      const isWhole = ({ name, bytes }: Manifest['outputs'][number]): boolean =>
        existsSync(join(output, name)) && (bytes === null || statSync(join(output, name)).size === bytes);
      resolve({ missing: outputs.filter((each) => !isWhole(each)).map(({ name }) => name) });
    }, 1);
  });
  return { seen, end: () => clearInterval(timer) };
}

t.test('a coordinator killed at every step goes on where it stopped', { timeout: 240_000 }, async (t) => {
  let reference: string | undefined;
  for (const point of FAILPOINTS.filter((name): name is Point => name.startsWith('coordinator.'))) {
    const way = WAYS[point] ?? {};
    const { url, state, output } = place();
    const fresh = freshIpcEndpoint();
    t.teardown(fresh.remove);
    const options = { state, endpoints: [fresh.endpoint] };
    const spec = sampleSpec('job-1', { output: url, ...way.spec }, { splits: 12, reducers: 2 });
    await openBlobStore(url).put('_daf/job-1/job.json', Buffer.from('{}'));
    const good = jobScript(spec);
    const script: Script = async (assignment, worker) =>
      (await way.script?.(assignment, worker)) ?? (await good(assignment, worker));
    const workers = ['w1', 'w2'].map((id) => new ScriptedWorker(id, fresh.endpoint, script, { endpoint: 'tcp://127.0.0.1:1' }));
    const client = new ScriptedClient(fresh.endpoint);
    const doomed = await start(t, options, { DAF_FAILPOINT: `${point}:1:kill` });
    const submitted = client.submit(spec).catch(() => null);
    const cancel = (): Promise<unknown> => client.ask((head) => ({ ...head, type: 'cancel', job: 'job-1' }));
    const cancelled = way.cancels === true ? submitted.then(cancel).catch(() => null) : null;
    const late = new Promise((resolve) => setTimeout(resolve, 20_000, 'it never came there').unref());
    t.match(await Promise.race([doomed.ended, late]), { signal: 'SIGKILL' }, `killed at ${point}`);
    if (point === 'coordinator.published-file' || point === 'coordinator.before-manifest') {
      const { length } = readdirSync(output).filter((name) => name.startsWith('part-'));
      t.ok(point === 'coordinator.before-manifest' ? length === 2 : length > 0, `${length} parts have their names`);
      t.notOk(existsSync(join(output, 'manifest.json')), 'and there is no manifest yet');
    }
    const reader = firstLook(output);
    const second = await start(t, options);
    await submitted;
    await cancelled;
    await client.submit(spec);
    const phase = way.phase ?? 'done';
    t.match(await client.ended('job-1'), { phase }, `${phase} after ${point}`);
    if (phase === 'done') {
      checkResult(t, output, spec);
      const bytes = readFileSync(join(output, 'manifest.json'), 'utf8');
      reference ??= bytes;
      t.equal(bytes, reference, 'same manifest bytes');
      t.same((await reader.seen).missing, [], 'whoever sees the manifest sees what it lists');
    } else t.notOk(existsSync(join(output, 'manifest.json')), 'no manifest');
    t.ok(await gone(join(output, '_daf')), `_daf/ is removed after ${point}`);
    reader.end();
    for (const each of [...workers, client]) await each.close();
    second.child.kill('SIGKILL');
  }
});

t.test('the later of two coordinators on one state fences the earlier', async (t) => {
  const { state } = place();
  const first = await start(t, { state, endpoints: ['tcp://127.0.0.1:0'] });
  const second = await start(t, { state, endpoints: ['tcp://127.0.0.1:0'] });
  t.ok(second.term > first.term);
  t.match(await first.ended, { code: 3, lines: [{ event: 'ready' }, { event: 'failed', error: { code: 'ERR_DAF_FENCED' } }] });
  second.child.kill('SIGTERM');
  t.match(await second.ended, { code: 0 });
});

t.test('it ends with its parent, and says why it cannot start', async (t) => {
  const { state } = place();
  const parent = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  const orphan = await start(t, { state, endpoints: ['tcp://127.0.0.1:0'], parentPid: parent.pid });
  parent.kill('SIGKILL');
  t.match(await orphan.ended, { code: 0 });
  for (const wrong of [
    { endpoints: [] },
    { endpoints: ['tcp://0.0.0.0:1'] },
    { endpoints: ['tcp://127.0.0.1:0'], leaseMs: 60, heartbeatMs: 50 },
    { endpoint: 'x' },
  ]) {
    const refused = await start(t, { state, ...wrong });
    t.match(await refused.ended, { code: 1, lines: [{ event: 'failed', error: { code: 'ERR_DAF_BAD_OPTION' } }] });
  }
});
