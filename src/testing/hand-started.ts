import { join } from 'node:path';
import { Cluster } from '../engine/cluster/cluster.js';
import { Child } from '../engine/launch/child.js';
import { freshIpcEndpoint } from '../engine/wire/index.js';

interface Teardown {
  teardown(fn: () => unknown): void;
}

/** Processes of a cluster that a test starts one by one, as its user would with `daf coordinator` and `daf worker`. */
export class HandStarted {
  readonly folder: string;
  readonly token = 'secret';
  readonly endpoint: string;
  readonly #test: Teardown;
  readonly #env: Readonly<Record<string, string>>;

  /** @param env of every process */
  constructor(test: Teardown, folder: string, env: Readonly<Record<string, string>> = {}) {
    const socket = freshIpcEndpoint();
    test.teardown(socket.remove);
    this.#test = test;
    this.folder = folder;
    this.endpoint = socket.endpoint;
    this.#env = { ...env, DAF_TOKEN: this.token };
  }

  /** Resolves when it is ready. @param state a directory, or null where the environment names it */
  async coordinator(state: string | null, env: Readonly<Record<string, string>> = {}): Promise<Child> {
    const timing = ['--heartbeat', '100', '--lease', '2000'];
    const child = this.#start(
      'coordinator',
      ['--listen', this.endpoint, ...(state === null ? [] : ['--state', state]), ...timing],
      env,
    );
    await child.ready;
    return child;
  }

  /** @param megabytes its budget */
  async worker(name: string, env: Readonly<Record<string, string>> = {}, megabytes = 256): Promise<Child> {
    const child = this.#start(
      'worker',
      [
        ...['--connect', this.endpoint, '--name', name, '--host', name, '--data', join(this.folder, name)],
        ...['--memory', String(megabytes << 20), '--threads', '1'],
      ],
      env,
    );
    await child.ready;
    return child;
  }

  async connect(): Promise<Cluster> {
    const cluster = await Cluster.connect(this.endpoint, { token: this.token });
    this.#test.teardown(() => cluster.close());
    return cluster;
  }

  #start(role: 'coordinator' | 'worker', args: readonly string[], env: Readonly<Record<string, string>>): Child {
    const child = new Child({
      entry: new URL(`../engine/${role}/main.js`, import.meta.url).href,
      nodeFlags: [],
      args,
      env: { ...this.#env, ...env },
      logFile: join(this.folder, `${role}.log`),
    });
    this.#test.teardown(() => child.stop());
    return child;
  }
}
