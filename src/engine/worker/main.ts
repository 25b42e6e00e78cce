import { parseArgs } from 'node:util';
import { parseBytes, parseWhole } from '../../core/options/index.js';
import { freshWorkerName, hostIdentity, RUNNERS, workerConnection } from './options.js';
import { runWorker } from './run.js';

// Entry of a worker process that another process starts. The token comes through the environment: arguments are visible to everybody.
const { values } = parseArgs({
  options: {
    connect: { type: 'string' },
    name: { type: 'string' },
    host: { type: 'string' },
    data: { type: 'string' },
    memory: { type: 'string' },
    threads: { type: 'string' },
    key: { type: 'string' },
    'server-key': { type: 'string' },
    allow: { type: 'string' },
    'data-listen': { type: 'string' },
    'ready-fd': { type: 'string' },
    'parent-pid': { type: 'string' },
  },
});
const token = process.env['DAF_TOKEN'] ?? null;
for (const secret of ['DAF_TOKEN', 'DAF_STATE']) delete process.env[secret]; // user code runs here

process.exit(
  await runWorker({
    ...workerConnection(values.connect ?? '', values.key ?? null, values['server-key'] ?? null),
    allow: values.allow ?? null,
    dataEndpoint: values['data-listen'] ?? null,
    name: values.name ?? freshWorkerName(),
    host: values.host ?? hostIdentity(),
    dataDir: values.data ?? '',
    budgetBytes: parseBytes('--memory', values.memory),
    threads: parseWhole('--threads', values.threads, 1, 64),
    runners: RUNNERS,
    readyFd: values['ready-fd'] === undefined ? null : Number(values['ready-fd']),
    parentPid: values['parent-pid'] === undefined ? null : Number(values['parent-pid']),
    token,
  }),
);
