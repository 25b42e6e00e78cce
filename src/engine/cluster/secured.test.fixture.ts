import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DafError } from '../../core/contracts/errors.js';
import { sampleText, sortedLines } from '../../testing/engine-fixture.js';
import { SHIPPED_JOBS } from '../jobs/shipped.js';
import { Child } from '../launch/child.js';
import { writeKeyPair } from '../wire/keys.js';
import { Cluster } from './cluster.js';

// A cluster in the network namespace of this process, in which 10.77.0.1 is an address like that of any other machine: what it prints, as
// one JSON document, secured.test.ts looks at.

const folder = process.argv[2]!;
const HOST = '10.77.0.1';
const token = 'long and random';
const children: Child[] = [];

const keys = join(folder, 'keys');
for (const name of ['coordinator', 'worker', 'client', 'stranger']) writeKeyPair(keys, name);
const allowed = join(folder, 'allowed');
mkdirSync(allowed);
for (const name of ['worker', 'client']) writeFileSync(join(allowed, `${name}.pub`), readFileSync(join(keys, `${name}.pub`)));

function start(role: 'coordinator' | 'worker', name: string, args: readonly string[], secret: string = token): Child {
  const child = new Child({
    entry: new URL(`../${role}/main.js`, import.meta.url).href,
    nodeFlags: [],
    args,
    env: secret === '' ? {} : { DAF_TOKEN: secret },
    logFile: join(folder, `${name}.log`),
  });
  children.push(child);
  return child;
}

function startWorker(endpoint: string, name: string, key: string, secret?: string): Child {
  return start(
    'worker',
    name,
    [
      ...['--connect', endpoint, '--name', name, '--host', name, '--data', join(folder, name), '--memory', String(256 << 20)],
      ...['--threads', '1', '--key', join(keys, `${key}.key`), '--server-key', join(keys, 'coordinator.pub')],
    ],
    secret,
  );
}

const code = (error: unknown): string => DafError.from(error).code;
const listen = ['--listen', `tcp://${HOST}:0`, '--heartbeat', '100', '--lease', '3000'];
const withKeys = ['--key', join(keys, 'coordinator.key'), '--allow', allowed];
const seen: Record<string, unknown> = {};
try {
  const state = (name: string): string[] => ['--state', join(folder, name)];
  seen['without keys'] = await start('coordinator', 'keyless', [...listen, ...state('a')]).ready.then(() => 'ready', code);
  seen['without token'] = await start('coordinator', 'tokenless', [...listen, ...withKeys, ...state('b')], '').ready.then(
    () => 'ready',
    code,
  );
  const { endpoints } = await start('coordinator', 'coordinator', [...listen, ...withKeys, ...state('c')]).ready;
  const endpoint = endpoints[0]!;
  const workers = ['north', 'south'].map((name) => startWorker(endpoint, name, 'worker'));
  await Promise.all(workers.map(({ ready }) => ready));
  startWorker(endpoint, 'wrong-key', 'stranger');
  startWorker(endpoint, 'wrong-token', 'worker', 'guess');

  const client = { key: join(keys, 'client.key'), serverKey: join(keys, 'coordinator.pub'), token };
  const connect = (changes: object): Promise<string> =>
    Cluster.connect(endpoint, { ...client, timeoutMs: 3000, ...changes }).then(async (cluster) => {
      await cluster.close();
      return 'connected';
    }, code);
  seen['client of another key'] = await connect({ key: join(keys, 'stranger.key') });
  seen['client of another token'] = await connect({ token: 'guess' });
  seen['client that expects another server'] = await connect({ serverKey: join(keys, 'stranger.pub') });
  seen['client without keys'] = await Cluster.connect(endpoint, { token, timeoutMs: 1000 }).then(() => 'connected', code);

  const cluster = await Cluster.connect(endpoint, client);
  writeFileSync(join(folder, 'words.txt'), sampleText(1500, 9));
  const job = await cluster.submit(SHIPPED_JOBS['wordcount']!, {
    input: join(folder, 'words.txt'),
    output: join(folder, 'counts'),
    splitSize: 6000,
    reducers: 3,
    separator: ' ',
  });
  const result = await job.result();
  seen['counts'] = await sortedLines(result);
  seen['report'] = await result.report();
  seen['workers'] = (await cluster.workers()).map(({ worker }) => worker).sort();
  await cluster.close();
} finally {
  await Promise.all(children.map((child) => child.stop()));
}
for (const name of ['coordinator', 'wrong-key', 'wrong-token'])
  seen[`${name}.log`] = readFileSync(join(folder, `${name}.log`), 'utf8');
process.stdout.write(JSON.stringify(seen));
