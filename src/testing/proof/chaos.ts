import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import type { FailpointName } from '../../core/failpoint.js';
import { JobResult } from '../../engine/cluster/result.js';
import { countWords, sampleText, sortedLines, temporaryDirectory, writeFiles } from '../engine-fixture.js';
import { Random } from '../simulation/random.js';
import { ByHand, type ByHandOptions, type Ended, type Place } from './by-hand.js';

const SLOW_WORDS = fileURLToPath(new URL('./checks/slow-words.js', import.meta.url));
const SPLIT_BYTES = 6000;
const WORKERS = 3;

export interface Scale {
  readonly seed: number;
  /** Lines of the text whose words are counted. */
  readonly lines: number;
  /** Between two faults, ms. */
  readonly everyMs: number;
  readonly faults: number;
  /** What the job waits at every tenth line or so, ms. */
  readonly pauseMs: number;
}

/** A job whose right answer is known, on processes started by hand; what goes wrong meanwhile is up to the test. */
export class Ordeal {
  readonly cluster: ByHand;
  readonly folder: string;
  readonly random: Random;
  readonly #expected: string;

  constructor(t: Test, { seed, lines }: Scale, leaseMs = 1000, options: ByHandOptions = {}) {
    this.folder = temporaryDirectory(t);
    this.random = new Random(seed);
    this.cluster = new ByHand(t, this.folder, { leaseMs, ...options });
    const text = sampleText(lines, seed);
    writeFiles(this.folder, { 'words.txt': text });
    this.#expected = countWords([text]);
  }

  /** @param job counts words: they are what check() compares */
  submit(
    output: string,
    {
      pauseMs = 0,
      args = [],
      place = {},
      job = SLOW_WORDS,
    }: { pauseMs?: number; args?: readonly string[]; place?: Place; job?: string } = {},
  ): Promise<Ended> {
    const input = ['--input', 'words.txt', '--output', output, '--separator', ' ', '--reducers', '3'];
    return this.cluster.submit(
      job,
      [...input, '--split-size', String(SPLIT_BYTES), '--param', `pause=${pauseMs}`, ...args],
      place,
    );
  }

  /** The output is there, verified, and what one thread counts. */
  async check(t: Test, output: string, ended: Ended): Promise<void> {
    t.equal(ended.how, 0, ended.how === 0 ? 'it ended well' : ended.stderr);
    const folder = join(this.folder, output);
    if (!existsSync(join(folder, 'manifest.json'))) return void t.fail('there is no manifest');
    t.ok(
      (await sortedLines(await JobResult.open(`file://${folder}`))) === this.#expected,
      'as one thread counts it, byte for byte',
    );
    const verified = await this.cluster.daf(['verify', output]);
    t.equal(verified.how, 0, verified.how === 0 ? 'it verifies' : verified.stderr);
  }

  /** Resolves when a job runs and has something committed, or has ended. */
  async underWay(): Promise<void> {
    await using client = await this.cluster.client();
    for (;;) {
      const [job] = await client.jobs();
      if (job !== undefined && (job.phase !== 'running' || job.map.committed > 0)) return;
      await sleep(10);
    }
  }

  someWorker(): ChildProcess | undefined {
    const alive = [...this.cluster.workers].filter(({ pid }) => pid !== undefined);
    return alive.length === 0 ? undefined : this.random.pick(alive);
  }
}

/** SIGKILL to a worker, again and again; each is started again. */
export async function killWorkers(t: Test, scale: Scale): Promise<void> {
  const ordeal = new Ordeal(t, scale);
  await ordeal.cluster.startCoordinator();
  for (let i = 0; i < WORKERS; i++) ordeal.cluster.keepWorker();
  await ordeal.cluster.workersReady(WORKERS);
  const ended = ordeal.submit('out', { pauseMs: scale.pauseMs });
  let over = false;
  void ended.then(() => (over = true));
  await ordeal.underWay();
  let kills = 0;
  for (; kills < scale.faults && !over; kills++) {
    await sleep(scale.everyMs);
    ordeal.someWorker()?.kill('SIGKILL');
  }
  await ordeal.check(t, 'out', await ended);
  t.ok(kills > 0, `${kills} workers were killed while it ran`);
}

/** SIGSTOP to a worker for longer than its lease, then SIGCONT: what it says then is too late. */
export async function stopWorkers(t: Test, scale: Scale): Promise<void> {
  const leaseMs = 600;
  const ordeal = new Ordeal(t, scale, leaseMs);
  await ordeal.cluster.startCoordinator();
  for (let i = 0; i < WORKERS; i++) ordeal.cluster.startWorker();
  await ordeal.cluster.workersReady(WORKERS);
  await using client = await ordeal.cluster.client();
  const ended = ordeal.submit('out', { pauseMs: scale.pauseMs });
  let over = false;
  void ended.then(() => (over = true));
  await ordeal.underWay();
  for (let stops = 0; stops < scale.faults && !over; stops++) {
    const worker = ordeal.someWorker()!;
    worker.kill('SIGSTOP');
    while ((await client.workers()).length === WORKERS) await sleep(20);
    await sleep(leaseMs);
    worker.kill('SIGCONT');
    while ((await client.workers()).length < WORKERS) await sleep(20);
    await sleep(scale.everyMs);
  }
  const end = await ended;
  await ordeal.check(t, 'out', end);
  t.match(end.stderr, /was lost; its tasks go to others/, 'the coordinator gave a worker up while it was stopped');
  t.same(ordeal.cluster.ends, [], 'no process ended');
}

/** SIGKILL to the coordinator, again and again; the client that waits and one that comes later see the same job. */
export async function killCoordinator(t: Test, scale: Scale): Promise<void> {
  const ordeal = new Ordeal(t, scale);
  const { cluster } = ordeal;
  await cluster.keepCoordinator();
  for (let i = 0; i < 2; i++) cluster.startWorker();
  await cluster.workersReady(2);
  const detached = await ordeal.submit('out', { pauseMs: scale.pauseMs, args: ['--detach'] });
  const id = detached.stdout.trim();
  const waiting = cluster.ask(['status', id, '--wait']);
  for (let kills = 0; kills < scale.faults; kills++) {
    const coordinator = await cluster.coordinatorUp();
    await sleep(scale.everyMs);
    const gone = once(coordinator, 'exit');
    coordinator.kill('SIGKILL');
    await gone;
  }
  await ordeal.check(t, 'out', await waiting);
  const later = await cluster.ask(['status', id, '--json']);
  t.match(JSON.parse(later.stdout), { id, phase: 'done' }, 'the job is known by its name after all that');
  t.equal(cluster.ends.filter(({ role }) => role === 'worker').length, 0, 'the workers went on');
}

/** SIGKILL to the client around its submission: before it there is no job and nothing in the way of the next one, after it the job goes on. */
export async function killClient(t: Test, scale: Pick<Scale, 'seed' | 'lines'>): Promise<void> {
  const ordeal = new Ordeal(t, { ...scale, everyMs: 0, faults: 0, pauseMs: 0 });
  const { cluster } = ordeal;
  await cluster.startCoordinator();
  for (let i = 0; i < 2; i++) cluster.startWorker();
  await cluster.workersReady(2);
  await using client = await cluster.client();
  const killed = async (output: string, point: Extract<FailpointName, `client.${string}`>): Promise<void> => {
    const { how } = await ordeal.submit(output, { place: { env: { DAF_FAILPOINT: `${point}:1:kill` } } });
    t.equal(how, 'SIGKILL', `killed at ${point}`);
  };
  await killed('before', 'client.before-submit');
  t.same(await client.jobs(), [], 'nobody knows of a job');
  await ordeal.check(t, 'before', await ordeal.submit('before'));
  await killed('after', 'client.after-submit');
  const id = (await client.jobs()).find(({ output }) => output.endsWith('/after'))?.id ?? 'none';
  await ordeal.check(t, 'after', await cluster.ask(['status', id, '--wait']));
}
