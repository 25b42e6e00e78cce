import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { type CommandSpec, wholeNumber } from '../command.js';

export const worker: CommandSpec = {
  usage: 'worker',
  summary: 'Run a worker for a coordinator until it is told to end',
  examples: ['daf worker --connect tcp://127.0.0.1:7788 --memory 512MB'],
  options(command) {
    command
      .option('-c, --connect <endpoint>', 'the coordinator', 'tcp://127.0.0.1:7788')
      .option('--data <dir>', 'for intermediate data; workers of one machine may share it', join('.daf', 'data'))
      .option('--host-id <name>', 'workers with the same one read each other’s files (default: name and boot of this machine)')
      .option('--memory <size>', 'bytes this worker may use, its children included', '512MB')
      .option('--threads <n>', 'task threads', wholeNumber('--threads', 1, 64), 1)
      .option('--token <secret>', 'the coordinator’s secret (default: $DAF_TOKEN)');
  },
  async run(_, options) {
    const { runWorker } = await import('../../engine/worker/run.js');
    const { freshWorkerName, hostIdentity, RUNNERS } = await import('../../engine/worker/options.js');
    const { parseBytes } = await import('../../core/options/index.js');
    const { LEAST_WORKER_MEMORY } = await import('../../core/memory-plan.js');
    const { resolve } = await import('node:path');
    const budgetBytes = parseBytes('--memory', options['memory'], LEAST_WORKER_MEMORY);
    // The main thread only does I/O; without a limit V8 would let garbage grow with the machine's memory.
    setFlagsFromString('--max-semi-space-size=4');
    const token = (options['token'] as string | undefined) ?? process.env['DAF_TOKEN'] ?? null;
    for (const secret of ['DAF_TOKEN', 'DAF_STATE']) delete process.env[secret]; // user code runs here
    const code = await runWorker({
      endpoint: options['connect'] as string,
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
