import { join } from 'node:path';
import { coordinatorExitCode } from '../../core/contracts/process.js';
import { type CommandSpec, wholeNumber } from '../command.js';

export const coordinator: CommandSpec = {
  usage: 'coordinator',
  summary: 'Run a coordinator until it is told to end',
  examples: [
    'daf coordinator --listen tcp://127.0.0.1:7788 --state ~/.daf/state',
    'daf coordinator --listen tcp://10.0.0.5:7788 --key keys/coordinator.key --allow keys/',
    'DAF_STATE=redis://:secret@db.example:6379/0 daf coordinator --listen tcp://127.0.0.1:7788',
  ],
  options(command) {
    command
      .option('-l, --listen <endpoint...>', 'where to listen; may be repeated', ['tcp://127.0.0.1:7788'])
      .option('--state <place>', 'its durable state: a directory or redis://host (default: $DAF_STATE, then .daf/state)')
      .option('--heartbeat <ms>', 'how often workers report', wholeNumber('--heartbeat', 20, 60_000))
      .option('--lease <ms>', 'a worker silent for this long has lost its tasks', wholeNumber('--lease', 60, 3_600_000))
      .option('--token <secret>', 'workers and clients must know it (default: $DAF_TOKEN)')
      .option('--key <file>', 'its secret key, to be reached from other machines (default: $DAF_KEY)')
      .option('--allow <place>', 'the public keys that may connect: a file, or a directory of .pub files (default: $DAF_ALLOW)');
  },
  exitCodeOf: coordinatorExitCode,
  async run(_, options, io) {
    const { runCoordinator } = await import('../../engine/coordinator/process.js');
    const { heartbeat, lease } = options as { heartbeat?: number; lease?: number };
    await runCoordinator(
      {
        endpoints: options['listen'] as string[],
        state: (options['state'] as string | undefined) ?? process.env['DAF_STATE'] ?? join('.daf', 'state'),
        ...(heartbeat === undefined ? {} : { heartbeatMs: heartbeat }),
        ...(lease === undefined ? {} : { leaseMs: lease }),
        token: (options['token'] as string | undefined) ?? process.env['DAF_TOKEN'] ?? null,
        key: (options['key'] as string | undefined) ?? process.env['DAF_KEY'] ?? null,
        allow: (options['allow'] as string | undefined) ?? process.env['DAF_ALLOW'] ?? null,
      },
      {
        log: (level, message, fields) => io.log(`${level}: ${message}${describe(fields)}`),
        ready: (endpoints) => io.log(`listening on ${endpoints.join(', ')}`),
        signal: io.signal,
      },
    );
    return { json: { ended: true }, text: '' };
  },
};

function describe(fields: Readonly<Record<string, unknown>> = {}): string {
  const parts = Object.entries(fields).map(
    ([name, value]) => `${name} ${Array.isArray(value) ? value.join(', ') : String(value)}`,
  );
  return parts.length === 0 ? '' : ` (${parts.join('; ')})`;
}
