import { writeSync } from 'node:fs';
import { toWire } from '../../core/contracts/errors.js';
import { watchParent, writeProcessLine } from '../../core/process-shell.js';
import type { WorkerOptions } from './options.js';
import { WorkerShell } from './shell.js';

const CLOSE_MS = 3000;

/** Runs a worker until it is told to end; resolves with the exit code. Signals, parent and ready lines are handled here. */
export async function runWorker(options: WorkerOptions): Promise<number> {
  let ready = false;
  let end: (code: number) => void = () => {};
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });
  const log = (level: string, message: string): void => {
    try {
      writeSync(2, `${JSON.stringify({ time: new Date().toISOString(), level, worker: options.name, message })}\n`);
    } catch {
      // Logs may be closed; work goes on.
    }
  };
  const crash = (error: unknown): void => {
    const failure = toWire(error);
    log('error', `${failure.code}: ${failure.message}`);
    if (!ready) writeProcessLine(options.readyFd, { event: 'failed', error: failure });
    process.exit(1);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  const shell = await WorkerShell.start(options, {
    onWelcome(term, endpoint) {
      if (ready) return;
      ready = true;
      writeProcessLine(options.readyFd, { event: 'ready', role: 'worker', pid: process.pid, endpoints: [endpoint], term });
    },
    onShutdown: () => end(0),
    log,
  });
  watchParent(options.parentPid, () => process.exit(0));
  process.once('SIGTERM', () => end(0));
  // Ctrl-C reaches a terminal's whole process group: what another process started waits for its word.
  process.on('SIGINT', () => {
    if (options.parentPid === null) end(0);
  });
  const code = await ended;
  setTimeout(() => process.exit(code), CLOSE_MS).unref();
  await shell.close();
  return code;
}
