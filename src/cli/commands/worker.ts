import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { type CommandSpec, wholeNumber } from '../command.js';

export const worker: CommandSpec = {
  usage: 'worker',
  summary: 'Run a worker for a coordinator until it is told to end',
  examples: [
    'daf worker --connect tcp://127.0.0.1:7788 --memory 512MB',
    'daf worker --connect tcp://10.0.0.5:7788 --key keys/worker.key --server-key keys/coordinator.pub',
  ],
  options(command) {
    command
      .option('-c, --connect <endpoint>', 'the coordinator', 'tcp://127.0.0.1:7788')
      .option('--data <dir>', 'for intermediate data; workers of one machine may share it', join('.daf', 'data'))
      .option('--host-id <name>', 'workers with the same one read each other’s files (default: name and boot of this machine)')
      .option('--memory <size>', 'bytes this worker may use, its children included', '512MB')
      .option('--threads <n>', 'task threads', wholeNumber('--threads', 1, 64), 1)
      .option('--token <secret>', 'the coordinator’s secret (default: $DAF_TOKEN)')
      .option('--key <file>', 'its secret key, to reach other machines (default: $DAF_KEY)')
      .option('--server-key <file>', 'the coordinator’s public key (default: $DAF_SERVER_KEY)')
      .option('--allow <place>', 'public keys of other workers, where they have keys of their own (default: $DAF_ALLOW)')
      .option(
        '--data-listen <endpoint>',
        'where to serve data to other workers (default: on the address that reaches the coordinator)',
      )
      .option('--stdin', 'keys and token come over standard input; the worker ends with it (daf launch)');
  },
  async run(_, options) {
    const { runWorker } = await import('../../engine/worker/run.js');
    const { freshWorkerName, hostIdentity, RUNNERS, workerConnection } = await import('../../engine/worker/options.js');
    const { toldSecrets } = await import('../../engine/launch/told-secrets.js');
    const { withServerKey } = await import('../../engine/wire/index.js');
    const { parseBytes } = await import('../../core/options/index.js');
    const { LEAST_WORKER_MEMORY } = await import('../../core/memory-plan.js');
    const { resolve } = await import('node:path');
    const budgetBytes = parseBytes('--memory', options['memory'], LEAST_WORKER_MEMORY);
    // The main thread only does I/O; without a limit V8 would let garbage grow with the machine's memory.
    setFlagsFromString('--max-semi-space-size=4');
    const end = (): void => void process.kill(process.pid, 'SIGTERM');
    const told = options['stdin'] === true ? await toldSecrets(process.stdin, end) : null;
    const token = told?.token ?? (options['token'] as string | undefined) ?? process.env['DAF_TOKEN'] ?? null;
    for (const secret of ['DAF_TOKEN', 'DAF_STATE']) delete process.env[secret]; // user code runs here
    const given = (name: string, variable: string): string | null =>
      (options[name] as string | undefined) ?? process.env[variable] ?? null;
    const address = options['connect'] as string;
    const connection =
      told === null
        ? workerConnection(address, given('key', 'DAF_KEY'), given('serverKey', 'DAF_SERVER_KEY'))
        : { endpoint: withServerKey(address, told.serverKey), keys: told.keys };
    const code = await runWorker({
      ...connection,
      allow: given('allow', 'DAF_ALLOW'),
      dataEndpoint: (options['dataListen'] as string | undefined) ?? null,
      name: freshWorkerName(),
      host: (options['hostId'] as string | undefined) ?? hostIdentity(),
      dataDir: resolve(options['data'] as string),
      budgetBytes,
      threads: options['threads'] as number,
      runners: RUNNERS,
      readyFd: null,
      parentPid: null,
      token,
    });
    return { json: { ended: true }, text: '', exitCode: code };
  },
};
