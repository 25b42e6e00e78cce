import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { Ordeal, type Scale } from './chaos.js';

const LEASE_MS = 1000;
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

  constructor(t: Test, hub: string, name: string, net: string) {
    this.name = `${hub}-${name}`;
    this.prefix = ['ip', 'netns', 'exec', this.name];
    this.endpoint = `tcp://${net}.1:${PORT}`;
    this.#link = `v${process.pid}${name[0]}`;
    namespace(t, this.name);
    const far = `${this.#link}h`;
    const made =
      ip('link', 'add', this.#link, 'netns', this.name, 'type', 'veth', 'peer', 'name', far, 'netns', hub) &&
      ip('-n', this.name, 'addr', 'add', `${net}.2/24`, 'dev', this.#link) &&
      ip('-n', hub, 'addr', 'add', `${net}.1/24`, 'dev', far) &&
      ip('-n', hub, 'link', 'set', far, 'up') &&
      this.up() &&
      ip('-n', this.name, 'route', 'add', HUB, 'via', `${net}.1`);
    if (!made) throw new Error(`the link of ${this.name} cannot be made`);
  }

  up(): boolean {
    return ip('-n', this.name, 'link', 'set', this.#link, 'up');
  }

  cut(): boolean {
    return ip('-n', this.name, 'link', 'set', this.#link, 'down');
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

/** A coordinator in a namespace with links to two others, which have none to each other; a worker in each of the three. Null where namespaces cannot be made. */
async function startHub(t: Test, scale: Scale, argsOf: (place: string) => readonly string[]): Promise<Hub | null> {
  const hub = `daf-${process.pid}`;
  if (!namespace(t, hub)) {
    t.pass('', { skip: 'cannot make network namespaces here' });
    return null;
  }
  ip('-n', hub, 'addr', 'add', `${HUB}/32`, 'dev', 'lo');
  const left = new Branch(t, hub, 'left', '10.77.1');
  const right = new Branch(t, hub, 'right', '10.77.2');
  const ordeal = new Ordeal(t, scale, LEASE_MS, { keys: true });
  const { cluster } = ordeal;
  const prefix = ['ip', 'netns', 'exec', hub];
  // Clients come through the file system, which all namespaces share.
  await cluster.startCoordinator({ prefix, args: ['--listen', left.endpoint, '--listen', right.endpoint] });
  cluster.startWorker({ prefix, args: ['--connect', left.endpoint, '--data-listen', `tcp://${HUB}:0`, ...argsOf('hub')] });
  cluster.startWorker({ prefix: left.prefix, args: ['--connect', left.endpoint, ...argsOf('left')] });
  cluster.startWorker({ prefix: right.prefix, args: ['--connect', right.endpoint, ...argsOf('right')] });
  await cluster.workersReady(3);
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
