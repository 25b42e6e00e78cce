import { writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { coordinatorExitCode } from '../../core/contracts/process.js';
import { runCoordinator } from './process.js';

// Entry of a coordinator that another process starts. The token, and a state's URL with a password, come through the
// environment: arguments are visible to everybody.
const { values } = parseArgs({
  options: {
    listen: { type: 'string', multiple: true },
    state: { type: 'string' },
    heartbeat: { type: 'string' },
    lease: { type: 'string' },
    key: { type: 'string' },
    allow: { type: 'string' },
    'ready-fd': { type: 'string' },
    'parent-pid': { type: 'string' },
  },
});

try {
  await runCoordinator(
    {
      endpoints: values.listen ?? [],
      state: values.state ?? process.env['DAF_STATE'] ?? '',
      ...(values.heartbeat === undefined ? {} : { heartbeatMs: Number(values.heartbeat) }),
      ...(values.lease === undefined ? {} : { leaseMs: Number(values.lease) }),
      token: process.env['DAF_TOKEN'] ?? null,
      key: values.key ?? null,
      allow: values.allow ?? null,
      readyFd: values['ready-fd'] === undefined ? null : Number(values['ready-fd']),
      parentPid: values['parent-pid'] === undefined ? null : Number(values['parent-pid']),
    },
    { log: (level, message, fields) => say(level, message, fields) },
  );
  process.exit(0);
} catch (error) {
  say('error', error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(coordinatorExitCode(error));
}

function say(level: string, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
  try {
    writeSync(2, `${JSON.stringify({ time: new Date().toISOString(), level, role: 'coordinator', message, ...fields })}\n`);
  } catch {
    // Nobody reads the log; work goes on.
  }
}
