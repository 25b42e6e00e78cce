import { spawn, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { Ordeal, type Scale } from './chaos.js';

const RELAY = fileURLToPath(new URL('./relay.js', import.meta.url));
const LEASE_MS = 1000;
/** Within a namespace nobody else listens. */
const COORDINATOR = '127.0.0.1:7788';

const ip = (...args: string[]): boolean => spawnSync('ip', args).status === 0;

/** A namespace with a link to the hub, and the coordinator's address relayed over it. */
class Branch {
  readonly name: string;
  readonly prefix: readonly string[];
  readonly #link: string;

  constructor(t: Test, hub: string, name: string, net: string) {
    this.name = `${hub}-${name}`;
    this.prefix = ['ip', 'netns', 'exec', this.name];
    this.#link = `v${process.pid}${name[0]}`;
    namespace(t, this.name);
    const far = `${this.#link}h`;
    const made =
      ip('link', 'add', this.#link, 'netns', this.name, 'type', 'veth', 'peer', 'name', far, 'netns', hub) &&
      ip('-n', this.name, 'addr', 'add', `${net}.2/24`, 'dev', this.#link) &&
      ip('-n', hub, 'addr', 'add', `${net}.1/24`, 'dev', far) &&
      ip('-n', hub, 'link', 'set', far, 'up') &&
      this.up();
    if (!made) throw new Error(`the link of ${this.name} cannot be made`);
    relay(t, hub, COORDINATOR, `${net}.1:9000`);
    relay(t, this.name, `${net}.1:9000`, COORDINATOR);
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

function relay(t: Test, where: string, to: string, listen: string): void {
  const child = spawn('ip', ['netns', 'exec', where, process.execPath, RELAY, to, listen], { stdio: 'inherit' });
  t.teardown(() => child.kill('SIGKILL'));
}

/** A coordinator and workers in three network namespaces, of which two lose their link for longer than a lease, in turn. */
export async function cutLinks(t: Test, scale: Scale): Promise<void> {
  const hub = `daf-${process.pid}`;
  if (!namespace(t, hub)) return void t.pass('', { skip: 'cannot make network namespaces here' });
  const left = new Branch(t, hub, 'left', '10.77.1');
  const right = new Branch(t, hub, 'right', '10.77.2');
  const ordeal = new Ordeal(t, scale, LEASE_MS);
  const { cluster } = ordeal;
  const prefix = ['ip', 'netns', 'exec', hub];
  // Clients come through the file system, which all namespaces share.
  await cluster.startCoordinator({ prefix, args: ['--listen', `tcp://${COORDINATOR}`] });
  for (const place of [prefix, left.prefix, right.prefix])
    cluster.startWorker({ prefix: place, args: ['--connect', `tcp://${COORDINATOR}`] });
  await cluster.workersReady(3);
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
