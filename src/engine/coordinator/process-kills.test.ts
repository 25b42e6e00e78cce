import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DafError, toWire } from '../../core/contracts/errors.js';
import type { JobSpec, JobStatus } from '../../core/contracts/job.js';
import type { Manifest } from '../../core/contracts/manifest.js';
import type { Assignment, LostOutput, Outcome } from '../../core/contracts/task.js';
import { FAILPOINTS, type FailpointName } from '../../core/failpoint.js';
import { type Script, ScriptedClient, ScriptedWorker } from '../../testing/scripted-worker.js';
import { openBlobStore } from '../stores/open.js';
import { sampleSpec } from '../stores/state-conformance.js';
import { freshIpcEndpoint } from '../wire/index.js';
import { checkResult, gone, jobScript, place, start } from './process.test.fixture.js';

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
