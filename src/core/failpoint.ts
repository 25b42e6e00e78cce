import { closeSync, openSync } from 'node:fs';
import { DafError } from './contracts/errors.js';
import { suggest } from './options/suggest.js';

/**
 * Places where a test may make a process fail: `DAF_FAILPOINT=name:n:kill|stop|error[,…]` acts at the n-th time this thread passes the
 * place (from 1): SIGKILL to itself, SIGSTOP to itself, or a thrown ERR_DAF_FAILPOINT. With `DAF_FAILPOINT_ONCE=FILE` only the
 * first process of all that inherited the variable acts: the one that creates FILE.
 *
 * Every name is listed here, where it stands, and so can be checked.
 */
export const FAILPOINTS = [
  // coordinator
  'coordinator.start', //            term begun, nothing loaded yet
  'coordinator.loaded', //           state loaded, sockets not yet bound
  'coordinator.job-created', //      a submitted job is durable, the client has no answer
  'coordinator.before-commit', //    reports received, nothing written
  'coordinator.after-commit', //     commits durable, workers have no verdict
  'coordinator.failure-counted', //  a failure is durable, its worker has no answer
  'coordinator.reopened', //         a lost output's next generation is durable, nobody knows of it
  'coordinator.copies-moved', //     where copies lie now is durable
  'coordinator.before-publishing', // all tasks committed, phase still running
  'coordinator.publishing', //       phase durable, nothing published
  'coordinator.published-file', //   one more output has its final name
  'coordinator.before-manifest', //  everything published, no manifest
  'coordinator.after-manifest', //   manifest written, phase still publishing
  'coordinator.done', //             phase durable, _daf/ not yet removed
  'coordinator.cancel', //           phase durable, _daf/<job>/ not yet removed
  'coordinator.failed', //           the same of a job that failed
  // worker, main thread
  'worker.hello',
  'worker.assigned', //              assignments received, nothing started
  'worker.before-report', //         the attempt has ended, nothing sent
  'worker.after-report', //          report sent, no verdict
  'worker.heartbeat',
  'worker.verdict', //               verdict received, files not yet cleaned
  // worker, task thread
  'task.start',
  'task.map-record', //              a record is about to be mapped
  'task.map-spill',
  'task.map-done', //                all records mapped, map output not closed
  'task.reduce-group', //            a group is about to be reduced
  'task.reduce-done',
  'task.before-output', //           an output is about to be stored
  'task.finalize',
  // daf-host, the process of a plugin (native/host/failpoint.h); where it is stopped, the call's timeout ends it
  'host.load', //                    asked to load the plugin
  'host.run', //                     a batch received, the plugin not yet called
  'host.done', //                    the plugin has returned, the worker has no answer
  // client
  'client.before-submit',
  'client.after-submit',
] as const;

export type FailpointName = (typeof FAILPOINTS)[number];

type Action = 'kill' | 'stop' | 'error';
interface Armed {
  readonly at: number;
  readonly action: Action;
  hits: number;
}

let armed: Map<string, Armed[]> | undefined;

/** Passes a fail point. Costs one comparison when none is set. */
export function failpoint(name: FailpointName): void {
  if (armed === undefined) armed = parseFailpoints(process.env['DAF_FAILPOINT'] ?? '');
  if (armed.size === 0) return;
  for (const point of armed.get(name) ?? []) {
    point.hits += 1;
    if (point.hits === point.at && first()) act(name, point.action);
  }
}

/** @throws DafError ERR_DAF_BAD_OPTION for a wrong specification: a fault that never hits would make a test lie. */
export function parseFailpoints(text: string): Map<string, Armed[]> {
  const points = new Map<string, Armed[]>();
  for (const part of text.split(',').filter((each) => each.trim() !== '')) {
    const [name = '', count = '', action = ''] = part.trim().split(':');
    const at = Number(count);
    if (!(FAILPOINTS as readonly string[]).includes(name)) {
      throw new DafError('ERR_DAF_BAD_OPTION', `DAF_FAILPOINT: there is no fail point "${name}"`, {
        hint: `did you mean "${suggest(name, FAILPOINTS) ?? FAILPOINTS[0]}"?`,
      });
    }
    if (!Number.isInteger(at) || at < 1 || !['kill', 'stop', 'error'].includes(action)) {
      throw new DafError('ERR_DAF_BAD_OPTION', `DAF_FAILPOINT: "${part}" is not name:n:kill|stop|error`);
    }
    points.set(name, [...(points.get(name) ?? []), { at, action: action as Action, hits: 0 }]);
  }
  return points;
}

/** Forgets hits and reads the environment again; for tests. */
export function resetFailpoints(): void {
  armed = undefined;
}

function first(): boolean {
  const file = process.env['DAF_FAILPOINT_ONCE'];
  if (file === undefined || file === '') return true;
  try {
    closeSync(openSync(file, 'wx'));
    return true;
  } catch {
    return false;
  }
}

function act(name: string, action: Action): void {
  if (action === 'error') throw new DafError('ERR_DAF_FAILPOINT', `fail point ${name}`, { retryable: true });
  process.kill(process.pid, action === 'kill' ? 'SIGKILL' : 'SIGSTOP');
}
