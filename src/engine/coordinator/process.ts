import { DafError, toWire } from '../../core/contracts/errors.js';
import { type CoordinatorOptions, DEFAULT_HEARTBEAT_MS, DEFAULT_LEASE_MS } from '../../core/contracts/process.js';
import { PeakSampler } from '../../core/memory-sample.js';
import { checkKeys, parseDuration } from '../../core/options/index.js';
import { watchParent, writeProcessLine } from '../../core/process-shell.js';
import { openBlobStore, openStateStore } from '../stores/open.js';
import { checkEndpoint, isOpenToOthers, RouterSocket, serverSecurity } from '../wire/index.js';
import { Service } from './service.js';
import { Ticks } from './ticks.js';

const LEADERSHIP_MS = 1000;
/** In which a worker that runs has found a coordinator that was started again: three of its tries to connect. */
const RETURN_MS = 1000;
const BACKUP_AFTER_MS = 5000;

export interface CoordinatorHooks {
  /** Default: nothing is said. */
  log?(level: 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Called once with what was bound. */
  ready?(endpoints: readonly string[], term: number): void;
  /** Aborting it is an orderly shutdown, as SIGTERM is. */
  signal?: AbortSignal;
}

/**
 * Fills and checks what `daf coordinator` was given.
 * @throws DafError ERR_DAF_BAD_OPTION
 */
export function coordinatorOptions(given: Partial<CoordinatorOptions>): CoordinatorOptions {
  const known = ['endpoints', 'state', 'heartbeatMs', 'leaseMs', 'token', 'key', 'allow', 'readyFd', 'parentPid'];
  checkKeys('coordinator', given, known);
  const { endpoints = [], state = '', token = null, key = null, allow = null, readyFd = null, parentPid = null } = given;
  if (endpoints.length === 0)
    throw new DafError('ERR_DAF_BAD_OPTION', 'coordinator: at least one endpoint to listen on is needed');
  for (const endpoint of endpoints) {
    checkEndpoint(endpoint, key !== null);
    if (token !== null || !isOpenToOthers(endpoint)) continue;
    throw new DafError('ERR_DAF_BAD_OPTION', `coordinator: listening on ${endpoint} takes a session token too`, {
      hint: 'set DAF_TOKEN to the same long random text for coordinator, workers and clients',
    });
  }
  if (state === '') throw new DafError('ERR_DAF_BAD_OPTION', 'coordinator: a place for its state is needed');
  const heartbeatMs = parseDuration('heartbeatMs', given.heartbeatMs ?? DEFAULT_HEARTBEAT_MS, 20, 60_000);
  const leaseMs = parseDuration('leaseMs', given.leaseMs ?? Math.max(DEFAULT_LEASE_MS, 3 * heartbeatMs), 60, 3_600_000);
  if (leaseMs < 3 * heartbeatMs) {
    throw new DafError(
      'ERR_DAF_BAD_OPTION',
      `coordinator: a lease of ${leaseMs} ms is shorter than three heartbeats of ${heartbeatMs} ms`,
    );
  }
  return Object.freeze({ endpoints, state, heartbeatMs, leaseMs, token, key, allow, readyFd, parentPid });
}

/**
 * A coordinator in this process: resolves after an orderly shutdown (SIGTERM, SIGINT, the parent's end, `hooks.signal`).
 * @throws DafError ERR_DAF_FENCED when another coordinator took over the state; ERR_DAF_BAD_OPTION, ERR_DAF_IO, ERR_DAF_PERMISSION
 */
export async function runCoordinator(given: Partial<CoordinatorOptions>, hooks: CoordinatorHooks = {}): Promise<void> {
  const readyFd = given.readyFd ?? null;
  try {
    await run(coordinatorOptions(given), hooks);
  } catch (error) {
    writeProcessLine(readyFd, { event: 'failed', error: toWire(error) });
    throw error;
  }
}

async function run(options: CoordinatorOptions, hooks: CoordinatorHooks): Promise<void> {
  const log = hooks.log?.bind(hooks) ?? (() => {});
  const sampler = new PeakSampler();
  const security = serverSecurity('coordinator', options);
  const state = await openStateStore(options.state, (warning) => log('warn', warning));
  let stop: (error: DafError | null) => void = () => {};
  const stopped = new Promise<DafError | null>((resolve) => {
    stop = resolve;
  });
  let router: RouterSocket | null = null;
  let service: Service | null = null;
  let ticks: Ticks | null = null;
  let leadership: NodeJS.Timeout | null = null;
  const release = listenForEnd(options.parentPid, hooks.signal, () => stop(null));
  try {
    service = await Service.start(
      {
        state,
        openOutput: openBlobStore,
        send: (peer, frames) => void router?.send(peer, frames),
        now: () => performance.now(),
        sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
        afterArrivals: setImmediate,
        ownPeak: () => sampler.peak,
        log,
        fatal: (error) => stop(error),
      },
      {
        token: options.token,
        leaseMs: options.leaseMs,
        heartbeatMs: options.heartbeatMs,
        graceMs: Math.min(options.leaseMs, Math.max(RETURN_MS, 2 * options.heartbeatMs)),
        backupAfterMs: BACKUP_AFTER_MS,
      },
    );
    const running = service;
    const ticking = new Ticks(running, sampler, options.leaseMs);
    ticks = ticking;
    router = await RouterSocket.bind(
      options.endpoints,
      {
        onMessage: (peer, frames) => {
          running.receive(peer, frames);
          ticking.look();
        },
        onRefused: (key, address) => log('warn', 'a key that is not allowed was refused', { key, address }),
      },
      security,
    );
    leadership = setInterval(() => void running.checkLeadership(), LEADERSHIP_MS);
    running.settle();
    writeProcessLine(options.readyFd, {
      event: 'ready',
      role: 'coordinator',
      pid: process.pid,
      endpoints: router.endpoints,
      term: service.term,
    });
    hooks.ready?.(router.endpoints, service.term);
    log('info', 'coordinator ready', { endpoints: router.endpoints, term: service.term });
    const error = await stopped;
    if (error !== null) throw error;
  } finally {
    ticks?.stop();
    if (leadership !== null) clearInterval(leadership);
    release();
    await service?.close();
    await router?.close();
    await state.close();
    sampler.close();
  }
}

function listenForEnd(parentPid: number | null, signal: AbortSignal | undefined, end: () => void): () => void {
  const unwatch = watchParent(parentPid, end);
  process.on('SIGTERM', end);
  // Ctrl-C reaches a whole process group: a parent that cancels its job first still needs us.
  const interrupted = parentPid === null ? end : (): void => {};
  process.on('SIGINT', interrupted);
  signal?.addEventListener('abort', end);
  if (signal?.aborted === true) end();
  return () => {
    unwatch();
    process.off('SIGTERM', end);
    process.off('SIGINT', interrupted);
    signal?.removeEventListener('abort', end);
  };
}
