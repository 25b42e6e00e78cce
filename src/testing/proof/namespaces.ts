import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { Ordeal, type Scale } from './chaos.js';

const LEASE_MS = 1000;
/** How long a reader waits for a silent holder (worker/data/fetcher.ts). */
const PATIENCE_MS = 5000;
const BLINK_MS = 1500;
const BULKY_WORDS = fileURLToPath(new URL('./checks/bulky-words.js', import.meta.url));
/** Bytes that each word carries, the speed of the link, and what has crossed it when it is cut: a tenth of what there is to fetch. */
const BULK = 1500;
const SLOW_LINK = '20mbit';
const CROSSED_BYTES = 1_000_000;
/** Within a namespace nobody else listens. */
const PORT = 7788;
/** The hub's address for everybody: workers tell others one. */
const HUB = '10.77.0.1';

const ip = (...args: string[]): boolean => spawnSync('ip', args).status === 0;

/** A namespace with a link to the hub, and to nobody else: the hub passes nothing on. */
class Branch {
  readonly name: string;
  readonly prefix: readonly string[];
  /** Where the coordinator is for those in here. */
  readonly endpoint: string;
  readonly #link: string;
  readonly #gateway: string;

  constructor(t: Test, hub: string, name: string, net: string) {
    this.name = `${hub}-${name}`;
    this.prefix = ['ip', 'netns', 'exec', this.name];
    this.endpoint = `tcp://${net}.1:${PORT}`;
    this.#link = `v${process.pid}${name[0]}`;
    this.#gateway = `${net}.1`;
    namespace(t, this.name);
    const far = `${this.#link}h`;
    const made =
      ip('link', 'add', this.#link, 'netns', this.name, 'type', 'veth', 'peer', 'name', far, 'netns', hub) &&
      ip('-n', this.name, 'addr', 'add', `${net}.2/24`, 'dev', this.#link) &&
      ip('-n', hub, 'addr', 'add', `${net}.1/24`, 'dev', far) &&
      ip('-n', hub, 'link', 'set', far, 'up') &&
      this.up();
    if (!made) throw new Error(`the link of ${this.name} cannot be made`);
  }

  up(): boolean {
    // A link that goes down takes the ways through it along.
    return (
      ip('-n', this.name, 'link', 'set', this.#link, 'up') && ip('-n', this.name, 'route', 'replace', HUB, 'via', this.#gateway)
    );
  }

  cut(): boolean {
    return ip('-n', this.name, 'link', 'set', this.#link, 'down');
  }

  /** Lets out no more than this many bits a second; false where that is not possible. */
  slow(rate: string): boolean {
    const bucket = ['root', 'tbf', 'rate', rate, 'burst', '64kb', 'latency', '200ms'];
    return spawnSync('tc', ['-n', this.name, 'qdisc', 'add', 'dev', this.#link, ...bucket]).status === 0;
  }

  /** Bytes that have left through the link so far. */
  sent(): number {
    const { stdout } = spawnSync('ip', ['-n', this.name, '-s', '-j', 'link', 'show', 'dev', this.#link], { encoding: 'utf8' });
    const [{ stats64 }] = JSON.parse(stdout) as [{ stats64: { tx: { bytes: number } } }];
    return stats64.tx.bytes;
  }
}

function namespace(t: Test, name: string): boolean {
  if (!ip('netns', 'add', name)) return false;
  t.teardown(() => ip('netns', 'del', name));
  return ip('-n', name, 'link', 'set', 'lo', 'up');
}

interface Hub {
  readonly ordeal: Ordeal;
  readonly left: Branch;
  readonly right: Branch;
}

/** A coordinator in a namespace with links to two others, which have none to each other; a worker in each of the three, or `right` left out. Null where namespaces cannot be made. */
async function startHub(
  t: Test,
  scale: Scale,
  argsOf: (place: string) => readonly string[],
  { leaseMs = LEASE_MS, three = true }: { leaseMs?: number; three?: boolean } = {},
): Promise<Hub | null> {
  const hub = `daf-${process.pid}`;
  if (!namespace(t, hub)) {
    t.pass('', { skip: 'cannot make network namespaces here' });
    return null;
  }
  ip('-n', hub, 'addr', 'add', `${HUB}/32`, 'dev', 'lo');
  const left = new Branch(t, hub, 'left', '10.77.1');
  const right = new Branch(t, hub, 'right', '10.77.2');
  const ordeal = new Ordeal(t, scale, leaseMs, { keys: true });
  const { cluster } = ordeal;
  const prefix = ['ip', 'netns', 'exec', hub];
  // Clients come through the file system, which all namespaces share.
  await cluster.startCoordinator({ prefix, args: ['--listen', left.endpoint, '--listen', right.endpoint] });
  cluster.startWorker({ prefix, args: ['--connect', left.endpoint, '--data-listen', `tcp://${HUB}:0`, ...argsOf('hub')] });
  cluster.startWorker({ prefix: left.prefix, args: ['--connect', left.endpoint, ...argsOf('left')] });
  if (three) cluster.startWorker({ prefix: right.prefix, args: ['--connect', right.endpoint, ...argsOf('right')] });
  await cluster.workersReady(three ? 3 : 2);
  return { ordeal, left, right };
}

/** A coordinator and workers in three network namespaces, of which two lose their link for longer than a lease, in turn. */
export async function cutLinks(t: Test, scale: Scale): Promise<void> {
  const started = await startHub(t, scale, () => []);
  if (started === null) return;
  const { ordeal, left, right } = started;
  const { cluster } = ordeal;
  await using client = await cluster.client();
  const ended = ordeal.submit('out', { pauseMs: scale.pauseMs });
  let over = false;
  void ended.then(() => (over = true));
  await ordeal.underWay();
  for (let cuts = 0; cuts < scale.faults && !over; cuts++) {
    const branch = ordeal.random.pick([left, right]);
    t.ok(branch.cut(), `${branch.name} is cut off`);
    while ((await client.workers()).length === 3) await sleep(20);
    await sleep(LEASE_MS);
    t.ok(branch.up());
    while ((await client.workers()).length < 3) await sleep(20);
    await sleep(scale.everyMs);
  }
  await ordeal.check(t, 'out', await ended);
  t.same(cluster.ends, [], 'no process ended');
}

/** How long a link stays cut in the middle of a fetch: shorter than readers and leases wait, longer, or until the job has ended. */
export type Cut = 'blink' | 'back' | 'gone';

/**
 * A worker fetches what another one's maps left, over a slow link; when some megabytes have crossed it the link is cut. A short cut costs
 * nothing: the fetch goes on where it was. After a long one the maps run again on this side, whether or not the other comes back.
 */
export async function cutFetch(t: Test, scale: Scale, cut: Cut): Promise<void> {
  const leaseMs = cut === 'blink' ? 4 * BLINK_MS : LEASE_MS;
  const started = await startHub(t, scale, (place) => ['--host-id', place, '--data', place], { leaseMs, three: false });
  if (started === null) return;
  const { ordeal, left } = started;
  if (!left.slow(SLOW_LINK)) return void t.pass('', { skip: 'cannot slow a link down here' });
  await using client = await ordeal.cluster.client();
  let over = false;
  const ended = ordeal.submit('out', { job: BULKY_WORDS, args: ['--param', `bulk=${BULK}`, '--split-size', '20000'] });
  void ended.then(() => (over = true));
  const mapped = async (): Promise<boolean> => {
    const [job] = await client.jobs();
    return job !== undefined && job.map.total > 0 && job.map.committed === job.map.total;
  };
  while (!over && !(await mapped())) await sleep(20);
  const before = left.sent();
  while (!over && left.sent() - before < CROSSED_BYTES) await sleep(10);
  t.ok(left.cut() && !over, 'the link is cut in the middle of the fetch');
  const crossed = left.sent() - before;
  if (cut === 'blink') await sleep(BLINK_MS);
  else if (cut === 'back') await sleep(PATIENCE_MS + 2000);
  else await ended;
  t.ok(left.up());
  const end = await ended;
  await ordeal.check(t, 'out', end);
  const { tasks } = JSON.parse(readFileSync(join(ordeal.folder, 'out', 'report.json'), 'utf8')) as {
    tasks: { task: string; generation: number }[];
  };
  const again = tasks.filter(({ task, generation }) => task.startsWith('map-') && generation > 0).length;
  t.comment(`${crossed} bytes had crossed, ${left.sent() - before} in the end; ${again} maps ran again`);
  if (cut === 'blink') {
    t.equal(again, 0, 'the fetch went on, no map ran again');
    t.ok(left.sent() - before > 2 * crossed, 'most of it crossed the link after it was cut');
  } else {
    t.match(end.stderr, /ERR_DAF_SEGMENT_LOST/, 'the reader gave up');
    t.ok(again > 0, 'what lay behind the link was made again');
  }
  t.same(ordeal.cluster.ends, [], 'no process ended');
}

/** Workers of two branches cannot reach each other at all: what one made comes to the other through the hub's worker, and no task runs again. */
export async function passOn(t: Test, scale: Scale): Promise<void> {
  const started = await startHub(t, scale, (place) => ['--host-id', place, '--data', place]);
  if (started === null) return;
  const { ordeal } = started;
  const ended = await ordeal.submit('out', { pauseMs: scale.pauseMs });
  await ordeal.check(t, 'out', ended);
  const { tasks } = JSON.parse(readFileSync(join(ordeal.folder, 'out', 'report.json'), 'utf8')) as {
    tasks: { task: string; attempt: string; worker: string; generation: number }[];
  };
  t.ok(
    tasks.every(({ generation }) => generation === 0),
    'nothing was lost',
  );
  t.ok(new Set(tasks.filter(({ task }) => task.startsWith('map-')).map(({ worker }) => worker)).size === 3, 'all three mapped');
}
