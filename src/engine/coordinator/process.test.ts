import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DafError, toWire } from '../../core/contracts/errors.js';
import { PROTOCOL } from '../../core/contracts/messages.js';
import { doneOutcome, partOf, type Script, ScriptedClient, ScriptedWorker } from '../../testing/scripted-worker.js';
import { openBlobStore } from '../stores/open.js';
import { sampleSpec } from '../stores/state-conformance.js';
import { DealerSocket, freshIpcEndpoint, pack } from '../wire/index.js';
import { checkResult, gone, jobScript, place, start } from './process.test.fixture.js';

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
  // Clients may hear of the end before the worker has its last verdict, and a report that was sent twice has two.
  const verdicts = new Set<string>();
  for (let i = 0; i < 500 && verdicts.size < 3; i++) {
    for (const { attempt, verdict } of worker.verdicts) verdicts.add(`${attempt} ${verdict}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const short = [...verdicts].map((each) => each.split(' ')).map(([attempt, verdict]) => `${attempt!.slice(0, 5)} ${verdict}`);
  t.same(short.sort(), ['map-0 committed', 'map-1 failure-noted', 'map-1 failure-noted']);
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
